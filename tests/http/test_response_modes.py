"""Response modes: the answer reaches the application in the query, in the fragment, or by a form that posts itself."""

import base64
import hashlib
import re
from html import unescape
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from tests.http import signing_in
from tests.http.conftest import Caller
from tests.http.signing_in import REDIRECT_URI, Asked, Person, redeem
from tests.support.service import RunningService

SCRIPT = '"><script>alert(1)</script>'
POST = {"response_mode": "form_post"}


def in_fragment(answer: httpx.Response) -> dict[str, str]:
    """What the application's script reads."""
    assert answer.status_code == 303
    address = urlsplit(answer.headers["location"])
    assert address._replace(fragment="").geturl() == REDIRECT_URI
    return dict(parse_qsl(address.fragment))


def posted(answer: httpx.Response) -> dict[str, str]:
    """What the page posts to the application, which is the only place that it may post to."""
    assert answer.status_code == 200
    policy = answer.headers["content-security-policy"]
    assert "form-action https://unite.example;" in policy
    assert "frame-ancestors 'none'" in policy
    (script,) = re.findall(r"<script>(.*?)</script>", answer.text, re.DOTALL)
    assert f"script-src 'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'" in policy
    assert answer.headers["cache-control"] == "no-store"
    assert re.findall(r'<form method="post" action="(.*?)">', answer.text) == [REDIRECT_URI]
    assert "<button>" in answer.text, "without script, the person presses it"
    found = re.findall(r'<input type="hidden" name="(.*?)" value="(.*?)">', answer.text)
    return {name: unescape(value) for name, value in found}


def test_a_code_comes_in_the_fragment(contoso: Caller, unite: Asked, person: Person, service: RunningService) -> None:
    told = in_fragment(person.come_back(unite, response_mode="fragment"))
    assert told.keys() == {"code", "state", "iss"}
    assert (told["state"], told["iss"]) == (unite.state, service.url)
    assert redeem(service, unite.redemption(told["code"])).status_code == 200


def test_a_code_is_posted(contoso: Caller, unite: Asked, person: Person, service: RunningService) -> None:
    told = posted(person.come_back(unite, **POST))
    assert told.keys() == {"code", "state", "iss"}
    assert (told["state"], told["iss"]) == (unite.state, service.url)
    assert redeem(service, unite.redemption(told["code"])).status_code == 200


def test_an_error_comes_the_same_way(contoso: Caller, unite: Asked, person: Person) -> None:
    faults: list[dict[str, str | None]] = [{"scope": "email"}, {"prompt": "none", "login_hint": None}]
    for fault in faults:
        in_form = posted(person.authorize(unite, **POST, **fault))
        assert in_form.keys() == {"error", "error_description", "state", "iss"}
        assert in_form["state"] == unite.state
    told = in_fragment(person.authorize(unite, response_mode="fragment", max_age="soon"))
    assert (told["error"], told["state"]) == ("invalid_request", unite.state)


def test_a_script_in_the_state_stays_text(contoso: Caller, unite: Asked, person: Person) -> None:
    answer = person.authorize(unite, **POST, scope="email", state=SCRIPT)
    assert posted(answer)["state"] == SCRIPT
    assert SCRIPT not in answer.text


@pytest.mark.parametrize("mode", ["form_post.jwt", "web_message", "FORM_POST"])
def test_another_mode_is_refused_in_the_query(unite: Asked, person: Person, mode: str) -> None:
    assert signing_in.refused(person.service, person.authorize(unite, response_mode=mode), unite) == "invalid_request"


def test_nothing_is_posted_to_an_address_that_is_not_registered(unite: Asked, person: Person) -> None:
    answer = person.authorize(unite, **POST, redirect_uri="https://attacker.example/callback")
    assert (answer.status_code, "attacker.example" in answer.text) == (400, False)
