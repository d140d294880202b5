"""Pushed authorization requests (RFC 9126): what the browser carries is a name, which begins one sign-in."""

import base64
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from local.cast.person import ALICE
from tests.http.conftest import Caller, Switch
from tests.http.signing_in import (
    PASSWORD_URI,
    REDIRECT_URI,
    Asked,
    NewPerson,
    Person,
    Register,
    Shown,
    answered,
    claims_of,
    query_of,
    redeem,
    refused,
    without_query,
)
from tests.support.service import RunningService

URN = "urn:ietf:params:oauth:request_uri:"
ANY = {"If-Match": "*"}

type Push = Callable[..., httpx.Response]


def basic(client_id: str, secret: str) -> dict[str, str]:
    return {"Authorization": f"Basic {base64.b64encode(f'{client_id}:{secret}'.encode()).decode()}"}


@pytest.fixture
def secret(register: Register, operator: Caller) -> str:
    """The secret of the application `unite`, which must push its requests."""
    register("unite", tokenEndpointAuthMethod="client_secret_basic", requirePushedAuthorizationRequests=True)
    renewed = operator("POST", "/v1/applications/unite/secret", headers=ANY)
    return str(renewed.raise_for_status().json()["clientSecret"])


@pytest.fixture
def push(client: httpx.Client, secret: str) -> Push:
    """Pushes a request as `unite`: `push(asked, prompt="login")`; None leaves a parameter out."""

    def call(asked: Asked, headers: dict[str, str] | None = None, **changes: Any) -> httpx.Response:
        form = {name: value for name, value in (asked.parameters() | changes).items() if value is not None}
        return client.post("/oauth2/par", data=form, headers=basic("unite", secret) if headers is None else headers)

    return call


def named(response: httpx.Response) -> str:
    """The name of a pushed request (RFC 9126, section 2.2)."""
    assert response.status_code == 201, response.text
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["content-type"] == "application/json"
    assert response.json().keys() == {"request_uri", "expires_in"}
    assert response.json()["expires_in"] == 90
    name = str(response.json()["request_uri"])
    assert name.startswith(URN)
    return name


def address(service: RunningService, name: str, client_id: str = "unite", **more: str) -> str:
    return f"{service.url}/oauth2/authorize?{urlencode({'client_id': client_id, 'request_uri': name, **more})}"


def over(response: httpx.Response) -> None:
    """A name that names nothing any more: a page, which leads nowhere and says nothing of the request."""
    assert response.status_code == 400
    assert "It is unknown, was already used, or has expired." in Shown.by(response).told
    assert "unite.example" not in response.text


def test_a_pushed_request_is_signed_in_by_its_name_alone(
    contoso: Caller, push: Push, secret: str, person: Person, service: RunningService
) -> None:
    asked = Asked()
    at_microsoft = person.open(address(service, named(push(asked)))).headers["location"]
    answer = answered(person.open(person.sign_in_at_microsoft(at_microsoft)))
    assert (answer["state"], answer["iss"]) == (asked.state, service.url)
    tokens = redeem(service, asked.redemption(answer["code"]), headers=basic("unite", secret)).json()
    assert claims_of(service, tokens["id_token"])["nonce"] == asked.nonce
    everything = str([service.rows("flows")])
    assert secret not in everything


def test_whatever_the_browser_adds_is_ignored(
    contoso: Caller, push: Push, person: Person, service: RunningService
) -> None:
    """RFC 9126, section 4; so nobody can take a demand out of the request, either."""
    beside = {"prompt": "none", "max_age": "9999", "login_hint": "bob@contoso-mail.example", "scope": "openid"}
    beside |= {"redirect_uri": "https://attacker.example/", "state": "forged", "response_mode": "fragment"}
    name = named(push(Asked(), prompt="login"))
    asked = query_of(person.open(address(service, name, **beside)).headers["location"])
    assert (asked["prompt"], asked["login_hint"]) == ("login", ALICE)


def test_who_pushed_prompt_login_is_given_no_code_for_the_session_of_yesterday(
    contoso: Caller, push: Push, person: Person, service: RunningService, hostile: Switch
) -> None:
    """And the link to try again repeats the demand by a name of its own, not by parameters that can be taken out."""
    at_microsoft = person.open(address(service, named(push(Asked(), prompt="login")))).headers["location"]
    hostile(auth_time_offset=-86_400)
    page = Shown.by(person.open(person.sign_in_at_microsoft(at_microsoft)))
    assert page.reference.startswith("sign-in-too-old")
    (again,) = [url for url in page.ways.values() if url.startswith(service.url)]
    assert query_of(again).keys() == {"client_id", "request_uri"}
    hostile()
    asked = query_of(person.open(again).headers["location"])
    assert (asked["prompt"], asked["login_hint"]) == ("login", ALICE)
    over(person.open(again))


def test_a_name_begins_one_sign_in(contoso: Caller, push: Push, new_person: NewPerson, service: RunningService) -> None:
    name, first, second = named(push(Asked())), new_person(), new_person()
    at_microsoft = first.open(address(service, name)).headers["location"]
    over(first.open(address(service, name)))
    over(second.open(address(service, name)))
    over(second.open(address(service, name + "x")))
    assert "code" in answered(first.open(first.sign_in_at_microsoft(at_microsoft)))
    over(second.open(address(service, name)))


def test_of_browsers_at_once_one_begins_it(
    contoso: Caller, push: Push, new_person: NewPerson, service: RunningService
) -> None:
    name, together = named(push(Asked())), Barrier(4)

    def arrive(person: Person) -> int:
        together.wait()
        return person.open(address(service, name)).status_code

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(arrive, [new_person() for _ in range(4)])) == [303, 400, 400, 400]


def test_a_name_expires_after_ninety_seconds(
    contoso: Caller, push: Push, person: Person, service: RunningService
) -> None:
    names = [named(push(Asked())) for _ in range(2)]
    service.clock.advance(timedelta(seconds=85))
    assert person.open(address(service, names[0])).status_code == 303
    service.clock.advance(timedelta(seconds=5))
    over(person.open(address(service, names[1])))


def test_a_name_is_its_own_clients(
    contoso: Caller, push: Push, register: Register, person: Person, service: RunningService
) -> None:
    register("rival", redirectUris=["https://rival.example/callback", REDIRECT_URI]).raise_for_status()
    name = named(push(Asked()))
    over(person.open(address(service, name, "rival")))
    for client_id in ("", "stranger", "UNITE"):
        assert person.open(address(service, name, client_id)).status_code == 400
    assert person.open(address(service, name)).status_code == 303, "nobody has used it up"


@pytest.mark.parametrize("guess", ["", "x", "20261126T2012." + "A" * 43, "../" * 20, "%00", "<script>"])
def test_a_name_cannot_be_guessed(push: Push, person: Person, service: RunningService, guess: str) -> None:
    over(person.open(address(service, URN + guess)))


def test_a_request_uri_of_elsewhere_is_not_fetched(
    contoso: Caller, register: Register, person: Person, service: RunningService
) -> None:
    register("unite").raise_for_status()
    asked = Asked()
    for uri in ("https://attacker.example/request.jwt", "urn:example:1"):
        assert refused(service, person.authorize(asked, request_uri=uri), asked) == "request_uri_not_supported"
    name = f"{URN}x"
    twice = f"{asked.address(service.url)}&{urlencode([('request_uri', name), ('request_uri', name)])}"
    assert person.open(twice).status_code == 400


def test_an_application_that_pushes_is_not_taken_by_parameters(
    contoso: Caller, push: Push, register: Register, person: Person, service: RunningService
) -> None:
    """The person would take the demands out of the address, and the application could not tell."""
    asked = Asked()
    answer = person.authorize(asked)
    assert refused(service, answer, asked) == "invalid_request"
    assert "/oauth2/par" in query_of(answer.headers["location"])["error_description"]
    profile = {"tokenEndpointAuthMethod": "client_secret_basic", "requirePushedAuthorizationRequests": False}
    register("unite", **profile).raise_for_status()
    assert person.authorize(asked).status_code == 303
    assert person.open(address(service, named(push(asked)))).status_code == 303, "it may go on pushing"


# -- the page that asks for the address -------------------------------------------------------------------------------


def form_of(response: httpx.Response) -> dict[str, str]:
    """What the page that asks for the address sends beside it: no parameter of the request."""
    page = Shown.by(response)
    hidden = {str(each.attributes["name"]): str(each.attributes["value"]) for each in page.all("input") if
              each.attributes.get("type") == "hidden"}  # fmt: skip
    assert hidden.keys() == {"client_id", "request_uri"}
    return hidden


def test_who_is_asked_for_their_address_may_take_their_time_and_reload(
    contoso: Caller, push: Push, person: Person, service: RunningService
) -> None:
    asked = Asked()
    name = named(push(asked, login_hint=None, prompt="login"))
    first, again = form_of(person.open(address(service, name))), form_of(person.open(address(service, name)))
    assert first == again
    appended = {**first, "request_uri": first["request_uri"] + "&amp=1", "login_hint": "nobody"}
    assert form_of(person.open(f"{service.url}/oauth2/authorize?{urlencode(appended)}")) == first
    service.clock.advance(timedelta(minutes=14))
    over(person.open(address(service, name)))
    typed = person.open(f"{service.url}/oauth2/authorize?{urlencode({**first, 'login_hint': ALICE, 'prompt': 'none'})}")
    assert (query_of(typed.headers["location"])["prompt"], typed.status_code) == ("login", 303)
    over(person.open(f"{service.url}/oauth2/authorize?{urlencode({**first, 'login_hint': ALICE})}"))
    answer = answered(person.open(person.sign_in_at_microsoft(typed.headers["location"])))
    assert answer["state"] == asked.state


def test_a_name_and_its_page_begin_one_sign_in_together(
    contoso: Caller, push: Push, person: Person, service: RunningService
) -> None:
    name = named(push(Asked(), login_hint=None))
    form = form_of(person.open(address(service, name)))
    typed = f"{service.url}/oauth2/authorize?{urlencode({**form, 'login_hint': ALICE})}"
    assert person.open(typed).status_code == 303
    over(person.open(typed))
    service.clock.advance(timedelta(minutes=16))
    over(person.open(typed))


def test_who_signs_in_by_password_goes_there_as_ever(
    contoso: Caller, push: Push, person: Person, service: RunningService
) -> None:
    name = named(push(Asked(login_hint="pat@outlook.example")))
    answer = person.open(address(service, name))
    assert without_query(answer.headers["location"]) == without_query(PASSWORD_URI)


# -- what cannot be pushed --------------------------------------------------------------------------------------------


def fault(response: httpx.Response, status: int = 400) -> str:
    """An error of the token endpoint's kind (RFC 9126, section 2.3): no redirect, whatever is wrong."""
    assert response.status_code == status, response.text
    assert response.headers["cache-control"] == "no-store"
    assert response.json().keys() == {"error", "error_description"}
    return str(response.json()["error"])


def test_a_pushed_request_is_checked_as_any_other(push: Push, service: RunningService) -> None:
    asked = Asked()
    for change, error in (
        ({"request_uri": f"{URN}x"}, "invalid_request"),
        ({"request_uri": ""}, "invalid_request"),
        ({"request": "e30.e30."}, "request_not_supported"),
        ({"redirect_uri": None}, "invalid_request"),
        ({"redirect_uri": "https://attacker.example/"}, "invalid_request"),
        ({"response_type": None}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"scope": "email"}, "invalid_scope"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge": None, "code_challenge_method": None, "nonce": None}, "invalid_request"),
        ({"max_age": "soon"}, "invalid_request"),
        ({"state": "s" * 4_097}, "invalid_request"),
        ({"state": ["a", "b"]}, "invalid_request"),
        ({"client_id": "rival"}, "invalid_request"),
    ):
        assert fault(push(asked, **change)) == error, change
    assert not [row for row in service.rows("flows") if row["RowKey"].startswith("pushed-request")]
    assert named(push(asked, client_id=None))


def test_nobody_pushes_for_an_application_that_has_a_secret(
    push: Push, register: Register, client: httpx.Client, secret: str
) -> None:
    register("portal").raise_for_status()
    asked = Asked()
    assert fault(push(asked, {})) == "invalid_client"
    assert fault(push(asked, {}, client_id="stranger")) == "invalid_client"
    assert fault(push(asked, basic("unite", "guessed")), 401) == "invalid_client"
    assert fault(push(asked, basic("portal", secret), client_id="portal"), 401) == "invalid_client"
    assert fault(push(asked, basic("unite", secret), client_secret=secret)) == "invalid_request"
    assert named(push(asked, {}, client_secret=secret))
    assert client.post("/oauth2/par", json=asked.parameters()).status_code == 400
    assert client.get("/oauth2/par").status_code in {404, 405}


def test_a_public_client_pushes_for_itself_alone(
    contoso: Caller, push: Push, register: Register, person: Person, service: RunningService
) -> None:
    """It proves nothing by it, since anybody can."""
    register("portal").raise_for_status()
    asked = Asked(client_id="portal")
    name = named(push(asked, {}))
    over(person.open(address(service, name)))
    assert person.open(address(service, name, "portal")).status_code == 303


def test_who_left_the_register_is_not_led_back_to(
    contoso: Caller, push: Push, person: Person, operator: Caller, service: RunningService
) -> None:
    name = named(push(Asked()))
    operator("DELETE", "/v1/applications/unite", headers=ANY).raise_for_status()
    answer = person.open(address(service, name))
    assert (answer.status_code, "location" in answer.headers) == (400, False)


def test_discovery_names_the_endpoint_and_demands_it_of_nobody(client: httpx.Client, service: RunningService) -> None:
    metadata = client.get("/.well-known/openid-configuration").json()
    assert metadata["pushed_authorization_request_endpoint"] == f"{service.url}/oauth2/par"
    assert metadata["require_pushed_authorization_requests"] is False


# -- the person whom the browser remembers ----------------------------------------------------------------------------


def test_a_pushed_request_that_names_nobody_is_for_whom_the_browser_remembers(
    contoso: Caller, push: Push, register: Register, person: Person, service: RunningService
) -> None:
    register("portal").raise_for_status()
    person.sign_in(Asked(client_id="portal"))
    name = named(push(Asked(), login_hint=None))
    asked = query_of(person.open(address(service, name)).headers["location"])
    assert "oauth2" in asked["redirect_uri"] or asked["redirect_uri"].endswith("/signin/callback")
    over(person.open(address(service, name)))


def test_silence_is_demanded_by_what_was_pushed(
    contoso: Caller, push: Push, register: Register, new_person: NewPerson, service: RunningService
) -> None:
    asked, known = Asked(), new_person()
    register("portal").raise_for_status()
    known.sign_in(Asked(client_id="portal"))
    nobody = new_person().open(address(service, named(push(asked, login_hint=None, prompt="none"))))
    assert refused(service, nobody, asked) == "login_required"
    at_microsoft = known.open(address(service, named(push(asked, login_hint=None, prompt="none"))))
    answer = answered(known.open(known.sign_in_at_microsoft(at_microsoft.headers["location"])))
    assert (answer.keys(), answer["state"]) == ({"code", "state", "iss"}, asked.state)


def test_whom_sso_does_not_concern_is_asked_by_a_page_that_repeats_no_parameter(
    contoso: Caller, push: Push, register: Register, person: Person, service: RunningService
) -> None:
    """The browser remembers somebody who has become an exception."""
    register("portal").raise_for_status()
    person.sign_in(Asked(client_id="portal"))
    draft = {"email": ALICE, "reason": "Kiosk"}
    contoso("POST", "/v1/accounts/acme/exceptions", json=draft).raise_for_status()
    form_of(person.open(address(service, named(push(Asked(), login_hint=None)))))
