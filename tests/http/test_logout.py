"""Signing out: asked for by an application, or by Microsoft; every application in the session hears of it."""

import base64
import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl

import httpx
import jwt
import pytest

from local import loopback
from local.cast.stack import MASTER_KEY
from local.processes import free_port
from shared.adapters.tables.adapter import AzureTable
from shared.flows.flows import digest
from shared.kernel.encoding import base64url
from shared.kernel.refusals import Unavailable
from tests.http import signing_in
from tests.http.conftest import Caller
from tests.http.signing_in import SCRIPT, Asked, NewPerson, Person, Register, Shown, claims_of, query_of, without_query
from tests.support.integration import edited
from tests.support.service import RunningService

GOODBYE = "https://unite.example/goodbye?theme=dark"


@dataclass
class Ear:
    """An application's back-channel logout endpoint, and what it has heard."""

    url: str = ""
    status: int = 200
    heard: list[dict[str, str]] = field(default_factory=list)

    @property
    def token(self) -> str:
        """The one logout token that came."""
        ((form,)) = self.heard
        assert form.keys() == {"logout_token"}
        return form["logout_token"]


@contextmanager
def ear() -> Iterator[Ear]:
    listening = Ear()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert self.headers["content-type"] == "application/x-www-form-urlencoded"
            body = self.rfile.read(int(self.headers["content-length"]))
            listening.heard.append(dict(parse_qsl(body.decode(), strict_parsing=True)))
            self.send_response(listening.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    listening.url = f"http://127.0.0.1:{server.server_address[1]}/logout"
    try:
        yield listening
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


type NewEar = Callable[[], Ear]


@pytest.fixture
def new_ear() -> Iterator[NewEar]:
    with ExitStack() as ears:
        yield lambda: ears.enter_context(ear())


def leave(person: Person, **parameters: str) -> httpx.Response:
    """Come to the service to sign out, and go nowhere from there."""
    return person.open(str(httpx.URL(f"{person.service.url}/oauth2/logout", params=parameters)))


def shown_to(person: Person, **parameters: str) -> str:
    """What the page that asks a person shows to their browser alone."""
    return str(Shown.by(leave(person, **parameters)).one("input", name="shown").attributes["value"])


def agree(person: Person, **parameters: str) -> httpx.Response:
    """Come without an ID token, and press the one button."""
    form = parameters | {"shown": shown_to(person, **parameters)}
    response = person.browser.send("POST", f"{person.service.url}/oauth2/logout", form)
    assert response.status_code == 303, response.text
    return response


def sid_of(service: RunningService, tokens: dict[str, Any]) -> str:
    return str(claims_of(service, tokens["id_token"])["sid"])


# -- asked for by an application --------------------------------------------------------------------------------------


def test_a_person_signs_out_here_and_at_microsoft_and_returns_to_the_application(
    contoso: Caller, register: Register, person: Person
) -> None:
    register("unite", postLogoutRedirectUris=[GOODBYE]).raise_for_status()
    id_token = person.tokens(Asked())["id_token"]
    response = leave(person, id_token_hint=id_token, post_logout_redirect_uri=GOODBYE, state=SCRIPT)
    assert response.status_code == 303
    assert response.headers["cache-control"] == "no-store"
    at_microsoft = response.headers["location"]
    assert without_query(at_microsoft).endswith("/organizations/oauth2/v2.0/logout")
    sent = query_of(at_microsoft)
    assert sent.keys() == {"post_logout_redirect_uri", "logout_hint"}
    assert sent["post_logout_redirect_uri"] == f"{person.service.url}/signed-out"
    assert "Signed out" in person.open(at_microsoft).text

    returned = person.open(sent["post_logout_redirect_uri"])
    assert returned.status_code == 303
    location = returned.headers["location"]
    assert without_query(location) == without_query(GOODBYE)
    assert query_of(location) == {"theme": "dark", "state": SCRIPT}
    assert not [name for name in person.cookies if "sign-out" in name or "way-back" in name]
    assert not person.open(person.leave(Asked())).has_redirect_location


def test_the_way_back_is_one_browsers_and_good_once(register: Register, person: Person, new_person: NewPerson) -> None:
    register("unite", postLogoutRedirectUris=[GOODBYE]).raise_for_status()
    longest = "s" * 4_096
    agree(person, client_id="unite", post_logout_redirect_uri=GOODBYE, state=longest)
    back = f"{person.service.url}/signed-out"
    assert Shown.by(new_person().open(back)).title == "Signed out"
    assert query_of(person.open(f"{back}?state=of-nobody").headers["location"])["state"] == longest
    assert Shown.by(person.open(back)).title == "Signed out"


def test_a_sign_out_without_a_way_back_forgets_the_one_before(register: Register, person: Person) -> None:
    register("unite", postLogoutRedirectUris=[GOODBYE]).raise_for_status()
    agree(person, client_id="unite", post_logout_redirect_uri=GOODBYE)
    agree(person)
    assert Shown.by(person.open(f"{person.service.url}/signed-out")).title == "Signed out"


def test_a_store_that_is_out_leaves_the_way_back_to_try_again(
    register: Register, person: Person, service: RunningService, monkeypatch: pytest.MonkeyPatch
) -> None:
    register("unite", postLogoutRedirectUris=[GOODBYE]).raise_for_status()
    agree(person, client_id="unite", post_logout_redirect_uri=GOODBYE)
    service.clock.advance(timedelta(minutes=1))

    async def out(*_: object) -> None:
        raise Unavailable("The storage cannot be reached.")

    with monkeypatch.context() as broken:
        broken.setattr(AzureTable, "get", out)
        assert person.open(f"{service.url}/signed-out").status_code == 503
    assert person.open(f"{service.url}/signed-out").headers["location"] == GOODBYE


# -- asked for by anybody ---------------------------------------------------------------------------------------------


def test_without_an_id_token_the_person_is_asked_and_nothing_is_stored(
    contoso: Caller, register: Register, person: Person, new_ear: NewEar, service: RunningService
) -> None:
    listening = new_ear()
    register("unite", backchannelLogoutUri=listening.url, postLogoutRedirectUris=[GOODBYE]).raise_for_status()
    answer = person.answer(Asked())
    person.open(answer)
    before = service.rows("flows")
    asked = {"client_id": "unite", "post_logout_redirect_uri": GOODBYE, "state": SCRIPT}
    response = leave(person, **asked)
    page = Shown.by(response)
    assert (response.status_code, page.title) == (200, "Sign out of Unite")
    assert len(page.all("button")) == 1
    url = f"{service.url}/oauth2/logout"
    assert page.one("form").attributes == {"method": "post", "action": url}
    kept = {str(field.attributes["name"]): str(field.attributes["value"]) for field in page.all("input")}
    assert {name: value for name, value in kept.items() if name != "shown"} == asked
    assert service.rows("flows") == before
    assert listening.heard == [], "nobody is signed out yet"

    gone = person.browser.send("POST", url, kept)
    assert gone.status_code == 303
    at_microsoft = person.open(gone.headers["location"])
    (frame,) = [line for line in at_microsoft.text.split('"') if "front-channel-logout" in line]
    assert loopback.get(frame).status_code == 200
    assert len(listening.heard) == 1, "Microsoft has told us whose session it was"
    assert query_of(person.open(f"{service.url}/signed-out").headers["location"])["state"] == SCRIPT
    assert not [row for row in service.rows("flows") if "session:" in row["RowKey"]]


@pytest.mark.parametrize("stolen", [None, "made-up", "theirs"])
def test_another_site_cannot_answer_for_the_person(
    register: Register, person: Person, new_person: NewPerson, service: RunningService, stolen: str | None
) -> None:
    """It can send the form, but not with the cookie of this browser, nor with what the page has shown to it."""
    register("unite", postLogoutRedirectUris=[GOODBYE]).raise_for_status()
    asked = {"client_id": "unite", "post_logout_redirect_uri": GOODBYE}
    theirs = shown_to(new_person(), **asked)
    shown_to(person, **asked)
    forged = asked | ({} if stolen is None else {"shown": theirs if stolen == "theirs" else stolen})
    response = person.browser.send("POST", f"{service.url}/oauth2/logout", forged)
    assert (response.status_code, Shown.by(response).title) == (200, "Sign out of Unite")
    without_cookies = loopback.post(f"{service.url}/oauth2/logout", data=asked | {"shown": theirs})
    assert (without_cookies.status_code, Shown.by(without_cookies).title) == (200, "Sign out of Unite")


def test_two_tabs_may_ask_at_once(register: Register, person: Person, service: RunningService) -> None:
    first, second = shown_to(person), shown_to(person)
    assert first == second
    assert person.browser.send("POST", f"{service.url}/oauth2/logout", {"shown": first}).status_code == 303


@pytest.mark.parametrize(
    ("parameters", "word"),
    [
        ({"post_logout_redirect_uri": GOODBYE, "state": "s"}, "client_id"),
        ({"post_logout_redirect_uri": GOODBYE, "client_id": "", "id_token_hint": ""}, "client_id"),
        ({"client_id": "unite", "post_logout_redirect_uri": "https://attacker.example/"}, "post_logout_redirect_uri"),
        ({"client_id": "unite", "post_logout_redirect_uri": GOODBYE, "state": "é" * 2_049}, "state"),
        ({"id_token_hint": "garbage", "post_logout_redirect_uri": GOODBYE}, "id_token_hint"),
    ],
)
def test_who_cannot_return_is_told_why_and_may_sign_out_all_the_same(
    register: Register, person: Person, service: RunningService, parameters: dict[str, str], word: str
) -> None:
    register("unite", postLogoutRedirectUris=[GOODBYE]).raise_for_status()
    response = leave(person, **parameters)
    page = Shown.by(response)
    assert (response.status_code, page.title) == (400, "Sign out")
    assert word in page.told
    (field,) = page.all("input")
    answered = person.browser.send("POST", f"{service.url}/oauth2/logout", {"shown": str(field.attributes["value"])})
    assert query_of(answered.headers["location"])["post_logout_redirect_uri"] == f"{service.url}/signed-out"
    assert Shown.by(person.open(f"{service.url}/signed-out")).title == "Signed out"


@pytest.mark.parametrize(
    "planted",
    [
        "https://attacker.example/",
        f"unite {digest('https://attacker.example/')} s",
        f"rival {digest(GOODBYE)} s",
        f"unite {digest(GOODBYE)[:-1]} s",
        "\x00",
    ],
)
def test_a_planted_way_back_leads_to_registered_addresses_only(
    register: Register, person: Person, service: RunningService, planted: str
) -> None:
    """As a sibling domain could do it, where cookies are not `__Host-`."""
    register("unite", postLogoutRedirectUris=[GOODBYE]).raise_for_status()
    register("rival").raise_for_status()
    person.keep(f"__Host-azure-sso-way-back-0={base64url(planted.encode())}; Path=/; Secure")
    assert Shown.by(person.open(f"{service.url}/signed-out")).title == "Signed out"
    person.keep("__Host-azure-sso-way-back-1=%%%; Path=/; Secure")
    assert Shown.by(person.open(f"{service.url}/signed-out")).title == "Signed out"


def test_an_expired_id_token_still_says_who_leaves(
    contoso: Caller, register: Register, person: Person, new_ear: NewEar, service: RunningService
) -> None:
    listening = new_ear()
    register("unite", backchannelLogoutUri=listening.url, postLogoutRedirectUris=[GOODBYE]).raise_for_status()
    id_token = person.tokens(Asked())["id_token"]
    service.clock.advance(timedelta(hours=8))
    response = leave(person, id_token_hint=id_token)
    assert response.status_code == 303
    assert len(listening.heard) == 1


def test_a_form_is_taken_like_a_query(contoso: Caller, unite: Asked, person: Person) -> None:
    form = {"id_token_hint": person.tokens(unite)["id_token"]}
    response = person.browser.send("POST", f"{person.service.url}/oauth2/logout", form)
    assert response.status_code == 303
    assert "logout_hint" in query_of(response.headers["location"])


def test_an_id_token_with_a_long_nonce_is_a_hint_too(contoso: Caller, unite: Asked, person: Person) -> None:
    id_token = person.tokens(Asked(nonce="n" * 2_000))["id_token"]
    assert len(id_token) > 2_000
    assert leave(person, id_token_hint=id_token).status_code == 303


# -- requests that are not answered -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    [
        without_query(GOODBYE),
        GOODBYE + "/",
        GOODBYE.replace("goodbye", "Goodbye"),
        GOODBYE.replace("unite.example", "unite.example:8443"),
        "https://attacker.example/",
        "javascript:alert(1)",
        SCRIPT,
    ],
)
def test_an_address_that_is_not_registered_is_not_returned_to(register: Register, person: Person, address: str) -> None:
    register("unite", postLogoutRedirectUris=[GOODBYE]).raise_for_status()
    response = leave(person, client_id="unite", post_logout_redirect_uri=address)
    assert response.status_code == 400
    assert "post_logout_redirect_uri" in Shown.by(response).told


def test_empty_parameters_count_as_missing(contoso: Caller, register: Register, person: Person) -> None:
    register("unite", postLogoutRedirectUris=[GOODBYE]).raise_for_status()
    id_token = person.tokens(Asked())["id_token"]
    back = {"post_logout_redirect_uri": GOODBYE, "client_id": "", "state": ""}
    at_microsoft = query_of(leave(person, id_token_hint=id_token, **back).headers["location"])
    assert person.open(at_microsoft["post_logout_redirect_uri"]).headers["location"] == GOODBYE
    nothing = dict.fromkeys(("id_token_hint", "client_id", "post_logout_redirect_uri", "state"), "")
    assert Shown.by(leave(person, **nothing)).title == "Sign out"


@pytest.mark.parametrize("who", [{}, {"client_id": ""}, {"client_id": "stranger"}, {"client_id": "rival"}])
def test_an_address_of_nobody_or_somebody_else_is_not_returned_to(
    register: Register, person: Person, who: dict[str, str]
) -> None:
    register("unite", postLogoutRedirectUris=[GOODBYE]).raise_for_status()
    register("rival").raise_for_status()
    assert leave(person, post_logout_redirect_uri=GOODBYE, **who).status_code == 400


@pytest.mark.parametrize("name", ["id_token_hint", "post_logout_redirect_uri", "state", "client_id"])
def test_a_parameter_that_is_sent_twice_is_refused(person: Person, name: str) -> None:
    response = person.open(f"{person.service.url}/oauth2/logout?{name}=a&{name}=b")
    assert response.status_code == 400
    assert name in Shown.by(response).told


def _segments(token: str) -> tuple[dict[str, Any], dict[str, Any], str]:
    header, claims, signature = token.split(".")
    return *(json.loads(base64.urlsafe_b64decode(part + "==")) for part in (header, claims)), signature


def _joined(header: dict[str, Any], claims: dict[str, Any], signature: str) -> str:
    parts = (base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in (header, claims))
    return ".".join((*parts, signature))


def test_a_hint_that_is_no_id_token_of_ours_ends_nothing(
    contoso: Caller, register: Register, person: Person, new_ear: NewEar
) -> None:
    listening = new_ear()
    register("unite", backchannelLogoutUri=listening.url).raise_for_status()
    register("rival").raise_for_status()
    tokens = person.tokens(Asked())
    header, claims, signature = _segments(tokens["id_token"])
    forgeries = [
        {"id_token_hint": tokens["access_token"]},
        {"id_token_hint": _joined({**header, "alg": "none"}, claims, "")},
        {"id_token_hint": _joined(header, {**claims, "sid": "another"}, signature)},
        {"id_token_hint": _joined({**header, "kid": "unknown"}, claims, signature)},
        {
            "id_token_hint": jwt.encode(
                claims, "a secret that everybody knows, long enough", headers=header | {"alg": "HS256"}
            )
        },
        {"id_token_hint": tokens["id_token"], "client_id": "rival"},
        {"id_token_hint": "garbage"},
        {"id_token_hint": SCRIPT},
    ]
    for forgery in forgeries:
        response = leave(person, **forgery)
        assert response.status_code == 400, forgery
        assert "id_token_hint" in Shown.by(response).told
    assert listening.heard == []
    assert leave(person, id_token_hint=tokens["id_token"], client_id="unite").status_code == 303
    assert len(listening.heard) == 1


# -- the applications hear of it --------------------------------------------------------------------------------------


def test_every_application_of_the_session_hears_of_its_end_once(
    contoso: Caller, register: Register, person: Person, new_ear: NewEar, service: RunningService
) -> None:
    ears = {client_id: new_ear() for client_id in ("unite", "anymeeting")}
    for client_id, listening in ears.items():
        register(client_id, backchannelLogoutUri=listening.url).raise_for_status()
    register("securisync").raise_for_status()
    tokens = {name: person.tokens(Asked(client_id=name)) for name in (*ears, "securisync")}
    now = int(service.clock.now().timestamp())
    for _ in range(2):
        assert leave(person, id_token_hint=tokens["securisync"]["id_token"]).status_code == 303

    for client_id, listening in ears.items():
        assert jwt.get_unverified_header(listening.token)["typ"] == "logout+jwt"
        claims = claims_of(service, listening.token, client_id)
        told = claims_of(service, tokens[client_id]["id_token"], client_id)
        assert claims.keys() == {"iss", "aud", "sub", "sid", "iat", "exp", "jti", "events"}
        assert (claims["iss"], claims["aud"]) == (service.url, client_id)
        assert (claims["sub"], claims["sid"]) == (told["sub"], told["sid"])
        assert claims["events"] == {"http://schemas.openid.net/event/backchannel-logout": {}}
        assert now - 10 <= claims["iat"] < claims["exp"]
    assert len({claims_of(service, one.token, name)["jti"] for name, one in ears.items()}) == 2


def is_waited_for(silent: socket.socket) -> bool:
    """Whether somebody has sent a request here and is still there for the answer."""
    silent.settimeout(5)
    caller, _ = silent.accept()
    with caller:
        caller.settimeout(5)
        assert caller.recv(65_536).startswith(b"POST /logout")
        caller.settimeout(0)
        try:
            return caller.recv(1) != b""
        except BlockingIOError:
            return True


def test_an_application_that_is_dead_silent_or_says_no_does_not_hold_up_the_others(
    contoso: Caller, register: Register, person: Person, new_ear: NewEar
) -> None:
    refusing, listening = new_ear(), new_ear()
    refusing.status = 400
    with socket.create_server(("127.0.0.1", 0)) as silent:
        ways = {
            "dead": f"http://127.0.0.1:{free_port()}/logout",
            "silent": f"http://127.0.0.1:{silent.getsockname()[1]}/logout",
            "refusing": refusing.url,
            "unite": listening.url,
        }
        for client_id, url in ways.items():
            register(client_id, backchannelLogoutUri=url).raise_for_status()
        tokens = [person.tokens(Asked(client_id=client_id)) for client_id in ways]
        response = leave(person, id_token_hint=tokens[0]["id_token"])
        assert is_waited_for(silent), "the person has gone on before"
    assert response.status_code == 303
    assert (len(refusing.heard), len(listening.heard)) == (1, 1)


def test_what_was_not_heard_is_sent_again_until_it_is(
    contoso: Caller, register: Register, person: Person, new_ear: NewEar, service: RunningService, client: httpx.Client
) -> None:
    def run_duties() -> None:
        key = {"x-functions-key": MASTER_KEY}
        assert client.post("/admin/functions/run_duties", json={}, headers=key).status_code == 202

    listening = new_ear()
    listening.status = 503
    register("unite", backchannelLogoutUri=listening.url).raise_for_status()
    leave(person, id_token_hint=person.tokens(Asked())["id_token"])
    assert len(listening.heard) == 1
    run_duties()
    assert len(listening.heard) == 1, "not due yet"
    service.clock.advance(timedelta(minutes=2))
    run_duties()
    assert len(listening.heard) == 2
    listening.status = 200
    service.clock.advance(timedelta(minutes=4))
    run_duties()
    service.clock.advance(timedelta(days=1))
    run_duties()
    assert len(listening.heard) == 3
    assert (
        len(
            {jwt.decode(heard["logout_token"], options={"verify_signature": False})["jti"] for heard in listening.heard}
        )
        == 3
    )
    assert [row for row in service.rows("duties") if row["RowKey"].startswith("logout-notice")] == []


def test_an_application_hears_of_the_sign_out_that_it_has_begun_when_the_person_is_back(
    contoso: Caller, register: Register, person: Person, new_ear: NewEar, service: RunningService, client: httpx.Client
) -> None:
    """A notice that overtakes the person ends the session in which the application waits for them."""
    beginning, other = new_ear(), new_ear()
    register("unite", backchannelLogoutUri=beginning.url, postLogoutRedirectUris=[GOODBYE]).raise_for_status()
    register("anymeeting", backchannelLogoutUri=other.url).raise_for_status()
    id_token = [person.tokens(Asked(client_id=each))["id_token"] for each in ("anymeeting", "unite")][1]
    away = leave(person, id_token_hint=id_token, post_logout_redirect_uri=GOODBYE)
    assert (len(beginning.heard), len(other.heard)) == (0, 1)
    person.open(away.headers["location"])
    assert person.open(f"{service.url}/signed-out").headers["location"] == GOODBYE
    assert beginning.heard == []
    service.clock.advance(timedelta(minutes=2))
    run = client.post("/admin/functions/run_duties", json={}, headers={"x-functions-key": MASTER_KEY})
    assert run.status_code == 202
    assert claims_of(service, beginning.token)["sid"] == claims_of(service, id_token)["sid"]
    assert len(other.heard) == 1


def test_a_late_notice_does_not_end_a_session_that_was_begun_since(
    contoso: Caller, register: Register, person: Person, new_ear: NewEar, service: RunningService, client: httpx.Client
) -> None:
    listening = new_ear()
    listening.status = 503
    register("unite", backchannelLogoutUri=listening.url).raise_for_status()
    tokens = person.tokens(Asked())
    leave(person, id_token_hint=tokens["id_token"])
    listening.status = 200
    assert sid_of(service, person.tokens(Asked())) == sid_of(service, tokens), "Microsoft still has the session"
    service.clock.advance(timedelta(minutes=2))
    run = client.post("/admin/functions/run_duties", json={}, headers={"x-functions-key": MASTER_KEY})
    assert run.status_code == 202
    assert [row for row in service.rows("duties") if row["RowKey"].startswith("logout-notice")] == []
    assert len(listening.heard) == 1


def test_an_application_that_was_removed_meanwhile_is_left_alone(
    contoso: Caller, register: Register, operator: Caller, person: Person, new_ear: NewEar
) -> None:
    listening = new_ear()
    register("unite", backchannelLogoutUri=listening.url).raise_for_status()
    tokens = person.tokens(Asked())
    operator("DELETE", "/v1/applications/unite", headers={"If-Match": "*"}).raise_for_status()
    assert leave(person, id_token_hint=tokens["id_token"]).status_code == 303
    assert listening.heard == []


def test_nobody_elses_session_ends(
    contoso: Caller, register: Register, person: Person, new_person: NewPerson, new_ear: NewEar, service: RunningService
) -> None:
    listening = new_ear()
    register("unite", backchannelLogoutUri=listening.url).raise_for_status()
    bob = "bob@contoso-mail.example"
    alices, bobs = person.tokens(Asked()), new_person().tokens(Asked(), bob, login_hint=bob)
    leave(person, id_token_hint=alices["id_token"])
    assert claims_of(service, listening.token)["sid"] == sid_of(service, alices) != sid_of(service, bobs)


# -- told by Microsoft ------------------------------------------------------------------------------------------------


def test_who_signs_out_at_microsoft_is_signed_out_of_the_applications(
    contoso: Caller, register: Register, person: Person, new_ear: NewEar, service: RunningService
) -> None:
    listening = new_ear()
    register("unite", backchannelLogoutUri=listening.url).raise_for_status()
    asked = Asked()
    answer = person.answer(asked)
    code = signing_in.answered(person.open(answer))["code"]
    tokens = signing_in.redeem(service, asked.redemption(code)).json()
    entra_sid = query_of(answer)["session_state"]
    assert entra_sid not in json.dumps(jwt.decode(tokens["id_token"], options={"verify_signature": False}))

    url = f"{service.url}/signin/front-channel-logout"
    assert loopback.get(url, params={"sid": "unknown"}).status_code == 200
    assert loopback.get(url, params={"sid": sid_of(service, tokens)}).status_code == 200
    assert loopback.get(url).status_code == 200
    assert listening.heard == []

    response = loopback.get(url, params={"sid": entra_sid})
    assert (response.status_code, "<h1>Signed out</h1>" in response.text) == (200, True)
    assert claims_of(service, listening.token)["sid"] == sid_of(service, tokens)


def test_microsoft_calls_us_in_a_frame_of_its_sign_out_page(contoso: Caller, unite: Asked, person: Person) -> None:
    answer = person.answer(unite)
    person.open(answer)
    at_microsoft = agree(person).headers["location"]
    frame = f"{person.service.url}/signin/front-channel-logout?sid={query_of(answer)['session_state']}"
    assert frame in person.open(at_microsoft).text
    framed = loopback.get(frame).headers
    assert "x-frame-options" not in framed
    assert "frame-ancestors" not in framed["content-security-policy"]
    assert "default-src 'none'" in framed["content-security-policy"]


def test_a_session_that_microsoft_does_not_name_ends_for_nobody(
    contoso: Caller, register: Register, person: Person, hostile: Callable[..., None], new_ear: NewEar
) -> None:
    listening = new_ear()
    register("unite", backchannelLogoutUri=listening.url).raise_for_status()
    hostile(id_token={"sid": None})
    id_token = person.tokens(Asked())["id_token"]
    assert "sid" not in claims_of(person.service, id_token)
    response = leave(person, id_token_hint=id_token)
    assert response.status_code == 303
    assert listening.heard == []


def test_a_script_in_a_sid_stays_out_of_the_page(person: Person) -> None:
    url = edited(f"{person.service.url}/signin/front-channel-logout", sid=SCRIPT)
    response = person.open(url)
    assert "<h1>Signed out</h1>" in response.text
    assert "<script" not in response.text
