"""What applications may ask at /oauth2/authorize, how each fault is told, and where a person goes from there."""

import json
import re
from collections.abc import Callable
from datetime import timedelta
from html import unescape
from urllib.parse import urlencode

import httpx
import pytest
from azure.data.tables import TableClient

from functions.http.cookies import MOST
from local import loopback
from local.cast.application import challenge_of
from local.entra.server import LocalEntra
from local.processes import free_port
from shared.adapters.tables.adapter import AzureTable
from shared.flows.flows import name_of
from shared.kernel.addresses import LONGEST_ADDRESS
from shared.kernel.refusals import Unavailable
from tests.http.conftest import Caller
from tests.http.signing_in import (
    ALICE,
    PASSWORD_URI,
    REDIRECT_URI,
    SCRIPT,
    Asked,
    NewPerson,
    Person,
    Register,
    Shown,
    answered,
    query_of,
    refused,
    set_policy,
    without_query,
)
from tests.support.service import RunningService, settings_for

CONTOSO = "c0c00000-0000-4000-8000-000000000000"
NOBODYS_TENANT = "00000000-0000-4000-8000-000000000001"


# -- who asks, and where the answer may go ----------------------------------------------------------------------------


@pytest.mark.parametrize("client_id", [None, "", "stranger", "UNITE", "unite ", "a/b", "x" * 65, SCRIPT])
def test_an_unknown_client_is_told_to_the_person_and_nobody_is_redirected(
    unite: Asked, person: Person, client_id: str | None
) -> None:
    response = person.authorize(unite, client_id=client_id)
    assert response.status_code == 400
    assert "client_id" in Shown.by(response).told


@pytest.mark.parametrize(
    "redirect_uri",
    [
        None,
        "",
        REDIRECT_URI + "/",
        REDIRECT_URI.upper(),
        REDIRECT_URI.replace("callback", "Callback"),
        REDIRECT_URI.replace("https://unite", "https://Unite"),
        REDIRECT_URI + "?next=1",
        REDIRECT_URI + "?",
        REDIRECT_URI + "#there",
        REDIRECT_URI.replace("unite.example", "unite.example:443"),
        REDIRECT_URI.replace("unite.example", "unite.example:8443"),
        REDIRECT_URI.replace("https:", "http:"),
        REDIRECT_URI.replace("unite.example", "unite.example.attacker.example"),
        REDIRECT_URI.replace("unite.example", "unite.example@attacker.example"),
        REDIRECT_URI.replace("/callback", "/x/../callback"),
        REDIRECT_URI.replace("/callback", "/%63allback"),
        " " + REDIRECT_URI,
        "javascript:alert(1)",
        SCRIPT,
        REDIRECT_URI + "?" + "x" * 20_000,
    ],
)
def test_an_address_that_is_not_registered_to_the_letter_gets_no_answer(
    unite: Asked, person: Person, redirect_uri: str | None
) -> None:
    response = person.authorize(unite, redirect_uri=redirect_uri)
    assert response.status_code == 400
    assert "redirect_uri" in Shown.by(response).told


def test_an_address_of_another_client_gets_no_answer(unite: Asked, register: Register, person: Person) -> None:
    register("rival", redirectUris=["https://rival.example/callback"]).raise_for_status()
    response = person.authorize(unite, redirect_uri="https://rival.example/callback")
    assert response.status_code == 400
    assert "redirect_uri" in Shown.by(response).told


@pytest.mark.parametrize("name", ["client_id", "redirect_uri"])
def test_saying_twice_who_asks_or_where_to_answer_gets_no_answer(unite: Asked, person: Person, name: str) -> None:
    parameters = unite.parameters()
    query = urlencode([*parameters.items(), (name, parameters[name])])
    response = person.open(f"{person.service.url}/oauth2/authorize?{query}")
    assert response.status_code == 400
    assert name in Shown.by(response).told


@pytest.mark.parametrize("query", ["client_id=%FF", "&".join(f"p{number}=1" for number in range(101))])
def test_parameters_that_cannot_be_read_are_told_to_the_person(person: Person, query: str) -> None:
    response = person.open(f"{person.service.url}/oauth2/authorize?{query}")
    assert response.status_code == 400
    assert Shown.by(response).title == "Malformed request"


# -- faults that the client hears of ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ({"response_type": None}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": "code id_token"}, "unsupported_response_type"),
        ({"response_mode": "web_message"}, "invalid_request"),
        ({"request": "eyJhbGciOiJub25lIn0.e30."}, "request_not_supported"),
        ({"request_uri": "https://attacker.example/request"}, "request_uri_not_supported"),
        ({"code_challenge": None, "code_challenge_method": None}, "invalid_request"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"code_challenge": "+" * 43}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": "s256"}, "invalid_request"),
        ({"scope": None}, "invalid_scope"),
        ({"scope": "email profile"}, "invalid_scope"),
        ({"prompt": "none login"}, "invalid_request"),
        ({"max_age": "soon"}, "invalid_request"),
        ({"max_age": "-1"}, "invalid_request"),
        ({"nonce": "n" * 4_097}, "invalid_request"),
        ({"login_hint": "a" * 2_001}, "invalid_request"),
    ],
)
def test_a_fault_goes_back_to_the_client_with_its_state(
    unite: Asked, person: Person, fault: dict[str, str | None], error: str
) -> None:
    assert refused(person.service, person.authorize(unite, **fault), unite) == error


@pytest.mark.parametrize(
    "name", ["response_type", "scope", "nonce", "code_challenge", "code_challenge_method", "prompt", "login_hint"]
)
def test_a_parameter_that_is_sent_twice_goes_back_to_the_client(unite: Asked, person: Person, name: str) -> None:
    query = urlencode([*unite.parameters(prompt="login").items(), (name, "once more")])
    response = person.open(f"{person.service.url}/oauth2/authorize?{query}")
    assert refused(person.service, response, unite) == "invalid_request"


def test_of_two_states_none_is_taken_for_the_clients(unite: Asked, person: Person) -> None:
    query = urlencode([*unite.parameters().items(), ("state", "another")])
    answer = answered(person.open(f"{person.service.url}/oauth2/authorize?{query}"))
    assert answer.keys() == {"error", "error_description", "iss"}
    assert answer["error"] == "invalid_request"


def test_a_state_that_is_huge_is_refused_and_comes_back_all_the_same(unite: Asked, person: Person) -> None:
    answer = answered(person.authorize(unite, state="s" * 4_097))
    assert (answer["error"], answer["state"]) == ("invalid_request", "s" * 4_097)


def test_a_state_that_is_empty_does_not_come_back(unite: Asked, person: Person) -> None:
    answer = answered(person.authorize(unite, state="", scope="email"))
    assert answer.keys() == {"error", "error_description", "iss"}
    assert answer["error"] == "invalid_scope"


def test_an_empty_parameter_counts_as_missing(unite: Asked, person: Person) -> None:
    response = person.authorize(unite, code_challenge="")
    assert refused(person.service, response, unite) == "invalid_request"


@pytest.mark.parametrize("state", [SCRIPT, "a b+c&d=e%20f", "ünï/çødé?#🔑", "line\r\nSet-Cookie: x=1", " "])
def test_the_state_comes_back_exactly_as_it_was_sent(unite: Asked, person: Person, state: str) -> None:
    asked = Asked(state=state)
    assert refused(person.service, person.authorize(asked, scope="email"), asked) == "invalid_scope"


def test_a_registered_address_keeps_the_query_that_it_has(register: Register, person: Person) -> None:
    address = f"{REDIRECT_URI}?tenant=a%26b&empty="
    register("unite", redirectUris=[address]).raise_for_status()
    response = person.authorize(Asked(redirect_uri=address), scope="email")
    answer = query_of(response.headers["location"])
    assert (answer["tenant"], answer["empty"], answer["error"]) == ("a&b", "", "invalid_scope")


# -- the way to Microsoft ---------------------------------------------------------------------------------------------


def test_a_person_goes_to_their_tenant_with_nothing_of_the_clients_secrets(
    contoso: Caller, unite: Asked, person: Person
) -> None:
    url = person.leave(unite)
    sent = query_of(url)
    assert without_query(url).endswith(f"/{CONTOSO}/oauth2/v2.0/authorize")
    assert sent["redirect_uri"] == f"{person.service.url}/signin/callback"
    assert (sent["login_hint"], sent["response_mode"], sent["response_type"]) == (ALICE, "query", "code")
    assert sent["code_challenge_method"] == "S256"
    assert "prompt" not in sent
    ours = {sent["state"], sent["nonce"], sent["code_challenge"]}
    assert len(ours) == 3
    assert ours.isdisjoint({unite.state, unite.nonce, challenge_of(unite.verifier)})


def test_the_state_is_kept_by_its_hash_and_the_browsers_secret_is_not_kept_at_all(
    contoso: Caller, unite: Asked, person: Person, service: RunningService
) -> None:
    response = person.authorize(unite)
    secret = response.headers["set-cookie"].partition("=")[2].partition(";")[0]
    kept = json.dumps(service.rows("flows"), default=str)
    assert unite.state in kept
    assert query_of(response.headers["location"])["state"] not in kept
    assert secret not in kept


def test_the_cookie_is_for_this_host_over_https_alone_and_no_script_reads_it(
    contoso: Caller, unite: Asked, person: Person
) -> None:
    response = person.authorize(unite)
    name, *attributes = response.headers["set-cookie"].split("; ")
    flow = name_of(query_of(response.headers["location"])["state"])
    assert name.startswith(f"__Host-azure-sso-sign-in-{flow}=")
    assert {attribute.lower() for attribute in attributes} == {
        "path=/",
        "max-age=900",
        "httponly",
        "secure",
        "samesite=lax",
    }


def test_microsoft_is_told_how_much_to_ask(
    contoso: Caller, unite: Asked, person: Person, subtests: pytest.Subtests
) -> None:
    cases: list[tuple[dict[str, str], str | None, str | None]] = [
        ({"prompt": "login"}, "login", ALICE),
        ({"prompt": "consent"}, None, ALICE),
        ({"prompt": "login select_account"}, "login", ALICE),
        ({"prompt": "Welcome back!"}, None, ALICE),
        ({"prompt": "select_account"}, "select_account", None),
        ({"max_age": "0"}, "login", ALICE),
        ({"max_age": "0", "prompt": "select_account"}, "login", ALICE),
        ({"max_age": "3600"}, None, ALICE),
        ({"max_age": "3600", "prompt": "select_account"}, "select_account", None),
        ({"max_age": "3600", "prompt": "none"}, "none", ALICE),
    ]
    for asked, prompt, hint in cases:
        with subtests.test(asked=asked):
            sent = query_of(person.leave(unite, **asked))
            assert (sent.get("prompt"), sent.get("login_hint")) == (prompt, hint)


def test_who_is_signed_in_at_microsoft_comes_back_at_once_unless_the_client_wants_a_login(
    contoso: Caller, unite: Asked, person: Person
) -> None:
    person.sign_in(unite)
    assert person.open(person.leave(unite)).has_redirect_location
    assert not person.open(person.leave(unite, prompt="login")).has_redirect_location
    assert not person.open(person.leave(unite, max_age="0")).has_redirect_location
    assert person.open(person.leave(unite, max_age="60")).has_redirect_location


def test_a_person_may_choose_another_account_and_is_let_in_only_as_whom_they_typed(
    contoso: Caller, unite: Asked, person: Person
) -> None:
    person.sign_in(unite)
    page = person.browser.open(person.leave(unite, prompt="select_account"))
    response = person.open(person.press(page, "continue"))
    assert answered(response)["state"] == unite.state


def test_a_form_is_taken_like_a_query(contoso: Caller, unite: Asked, person: Person) -> None:
    response = person.browser.send("POST", f"{person.service.url}/oauth2/authorize", unite.parameters())
    assert response.status_code == 303
    assert query_of(response.headers["location"])["login_hint"] == ALICE


def posted(service: RunningService, form: dict[str, str], site: str | None = "cross-site") -> httpx.Response:
    """A form that another site sends: browsers say so, if they are not old, and add none of our Lax cookies."""
    told = {"Sec-Fetch-Site": site} if site else {}
    return loopback.post(f"{service.url}/oauth2/authorize", data=form, headers=told)


@pytest.mark.parametrize("site", ["cross-site", "same-site", "none", None])
def test_a_form_of_an_application_is_asked_for_again_by_get_and_all_goes_well(
    contoso: Caller, unite: Asked, person: Person, site: str | None
) -> None:
    asked = Asked(state="a b+c&d=e%20f ünï🔑")
    response = posted(person.service, asked.parameters(), site)
    assert (response.status_code, "set-cookie" in response.headers) == (303, False)
    assert (response.headers["referrer-policy"], response.headers["cache-control"]) == ("no-referrer", "no-store")
    assert without_query(response.headers["location"]) == f"{person.service.url}/oauth2/authorize"
    url = str(person.open(response.headers["location"]).headers["location"])
    assert answered(person.open(person.sign_in_at_microsoft(url)))["state"] == asked.state


def test_what_a_form_says_twice_is_still_said_twice(unite: Asked, person: Person) -> None:
    body = urlencode([*unite.parameters().items(), ("nonce", "once more")])
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    response = loopback.post(f"{person.service.url}/oauth2/authorize", content=body, headers=form)
    assert refused(person.service, person.open(response.headers["location"]), unite) == "invalid_request"


def test_forms_of_another_site_do_not_fill_a_browser_with_cookies(
    contoso: Caller, unite: Asked, person: Person
) -> None:
    for _ in range(MOST + 8):
        response = posted(person.service, unite.parameters())
        person.keep(*response.headers.get_list("set-cookie"))
        person.open(response.headers["location"])
    assert len(person.cookies) == MOST


@pytest.mark.parametrize("extra", [0, 1])
def test_a_form_goes_on_as_an_address_as_long_as_it_fits_into_one(unite: Asked, person: Person, extra: int) -> None:
    parameters = unite.parameters(padding="")
    room = LONGEST_ADDRESS - len(f"{person.service.url}/oauth2/authorize?{urlencode(parameters)}")
    response = posted(person.service, parameters | {"padding": "x" * (room + extra)})
    assert response.status_code == (200 if extra else 303)
    if not extra:
        assert len(response.headers["location"]) == LONGEST_ADDRESS


@pytest.mark.parametrize("site", ["cross-site", "same-site", None])
def test_a_form_that_is_too_long_for_an_address_is_sent_again_from_our_own_page(
    contoso: Caller, unite: Asked, person: Person, site: str | None
) -> None:
    asked = Asked(state="s" * 4_096, nonce="ü" * 4_096)
    page = posted(person.service, asked.parameters(), site)
    assert (page.status_code, Shown.by(page).title) == (200, "Continue to sign in")
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page.text))
    assert unescape(fields["state"]) == asked.state
    leaving = posted(person.service, {name: unescape(value) for name, value in fields.items()}, "same-origin")
    person.keep(*leaving.headers.get_list("set-cookie"))
    answer = person.open(person.sign_in_at_microsoft(leaving.headers["location"]))
    assert query_of(answer.headers["location"])["state"] == asked.state


def test_a_page_offers_no_way_back_that_is_too_long_for_an_address(
    contoso: Caller, unite: Asked, person: Person, entra: LocalEntra
) -> None:
    asked = Asked(state="s" * 4_000, nonce="ü" * 4_000)
    leaving = posted(person.service, asked.parameters(), "same-origin")
    person.keep(*leaving.headers.get_list("set-cookie"))
    state = query_of(leaving.headers["location"])["state"]
    refused = person.open(f"{person.service.url}/signin/callback?error=access_denied&state={state}")
    assert list(Shown.by(refused).ways) == ["Back to the application"]
    assert query_of(Shown.by(refused).ways["Back to the application"])["state"] == asked.state


def test_a_body_that_is_no_form_is_refused(unite: Asked, client: httpx.Client) -> None:
    response = client.post("/oauth2/authorize", json=unite.parameters())
    assert response.status_code == 415
    assert "application/x-www-form-urlencoded" in Shown.by(response).told


def test_a_form_that_is_not_ascii_is_refused(unite: Asked, client: httpx.Client) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    response = client.post("/oauth2/authorize", content="client_id=ü".encode(), headers=form)
    assert response.status_code == 400
    assert Shown.by(response).title == "Malformed request"


# -- without a page ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changes",
    [{"login_hint": None}, {"login_hint": "no address"}, {"max_age": "0"}, {"login_hint": "a@nobody.example"}],
)
def test_who_cannot_be_asked_must_sign_in_elsewhere(
    unite: Asked, person: Person, changes: dict[str, str | None]
) -> None:
    response = person.authorize(unite, prompt="none", **changes)
    assert refused(person.service, response, unite) == "login_required"


def test_without_a_page_who_is_not_signed_in_at_microsoft_must_sign_in(
    contoso: Caller, unite: Asked, person: Person
) -> None:
    response = person.open(person.open(person.leave(unite, prompt="none")).headers["location"])
    assert refused(person.service, response, unite) == "login_required"


def test_without_a_page_who_is_signed_in_at_microsoft_is_let_in(contoso: Caller, unite: Asked, person: Person) -> None:
    person.sign_in(unite)
    assert person.sign_in(unite, prompt="none")["state"] == unite.state


def test_without_a_page_what_microsoft_must_ask_goes_back_to_the_client(
    contoso: Caller, unite: Asked, person: Person, control: httpx.Client
) -> None:
    person.sign_in(unite)
    fault = {"error": "interaction_required", "aadsts": 50076, "sentence": "Use multi-factor authentication."}
    control.put("/hostile", json={"authorize_error": fault}).raise_for_status()
    response = person.come_back(unite, prompt="none")
    assert refused(person.service, response, unite) == "interaction_required"


# -- people who stay on the vendor's password -------------------------------------------------------------------------


def exempt(manager: Caller, _register: Register) -> None:
    body = {"email": ALICE, "reason": "keeps the password"}
    manager("POST", "/v1/accounts/acme/exceptions", json=body).raise_for_status()


def switch_off(manager: Caller, _register: Register) -> None:
    set_policy(manager, mode="off")


def switch_application_off(manager: Caller, _register: Register) -> None:
    set_policy(manager, applicationsOff=["unite"])


def end_support(_manager: Caller, register: Register) -> None:
    register("unite", ssoSupported=False).raise_for_status()


@pytest.mark.parametrize("decide", [exempt, switch_off, switch_application_off, end_support])
def test_who_stays_on_the_password_goes_to_the_applications_own_page_with_what_it_needs(
    contoso: Caller,
    unite: Asked,
    register: Register,
    person: Person,
    service: RunningService,
    decide: Callable[[Caller, Register], None],
) -> None:
    decide(contoso, register)
    response = person.authorize(unite)
    assert response.status_code == 303
    location = response.headers["location"]
    assert without_query(location) == without_query(PASSWORD_URI)
    assert query_of(location) == {"theme": "dark", "login_hint": ALICE, "state": unite.state}
    assert "set-cookie" not in response.headers


def test_an_application_without_a_password_page_hears_that_sso_does_not_apply(
    register: Register, person: Person
) -> None:
    register("unite", passwordSignInUri=None).raise_for_status()
    asked = Asked()
    response = person.authorize(asked)
    assert refused(person.service, response, asked) == "sso_does_not_apply"
    silent = person.authorize(asked, prompt="none")
    assert refused(person.service, silent, asked) == "login_required", "the code that libraries know"
    uris = {query_of(each.headers["location"])["error_uri"] for each in (response, silent)}
    (page,) = [Shown.by(person.open(uri)) for uri in uris]
    assert page.title == "Sign in with your password"
    assert "Nobody has refused you" in page.told
    assert "error_uri" not in query_of(person.authorize(asked, prompt="none", login_hint=None).headers["location"])


# -- what does not answer, or is gone ---------------------------------------------------------------------------------


def ways_on(response: httpx.Response, status: int, slug: str, error: str) -> dict[str, str]:
    """The links of a page that says why nobody can sign in; the way back tells the application of this error."""
    page = Shown.by(response)
    assert (response.status_code, page.reference.partition(",")[0]) == (status, slug), response.text
    assert query_of(page.ways["Back to the application"])["error"] == error
    return page.ways


async def out(*_: object) -> None:
    raise Unavailable("The storage cannot be reached. Try again in a few seconds.")


def test_a_store_that_is_out_is_told_with_ways_on(
    contoso: Caller, unite: Asked, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(AzureTable, "write", out)
        response = person.authorize(unite)
        ways = ways_on(response, 503, "unavailable", "temporarily_unavailable")
        assert int(response.headers["retry-after"]) > 0
        assert person.cookies == {}
        silent = person.authorize(unite, prompt="none")
        assert refused(person.service, silent, unite) == "temporarily_unavailable"
    again = person.open(ways["Try again"]).headers["location"]
    assert answered(person.open(person.sign_in_at_microsoft(again)))["state"] == unite.state


def test_an_entra_that_is_out_is_told_with_ways_on(
    contoso: Caller, unite: Asked, person: Person, service: RunningService, entra: LocalEntra
) -> None:
    port = free_port()
    settings = settings_for(service.url, service.connection_string, entra)
    with RunningService(port, settings | {"SSO_ENTRA_AUTHORITY": f"https://localhost:{free_port()}"}) as other:
        address = f"http://localhost:{port}/oauth2/authorize"
        other.clock.ahead = service.clock.ahead
        page = person.open(f"{address}?{urlencode(unite.parameters())}")
        ways = ways_on(page, 503, "unavailable", "temporarily_unavailable")
        silent = person.open(f"{address}?{urlencode(unite.parameters(prompt='none'))}")
        assert refused(service, silent, unite) == "temporarily_unavailable"
    assert query_of(ways["Try again"]) == unite.parameters()


@pytest.mark.parametrize("prompt", [None, "none"])
def test_a_tenant_that_is_gone_is_noticed_and_people_fall_back_to_the_password(
    contoso: Caller, unite: Asked, person: Person, service: RunningService, prompt: str | None
) -> None:
    with TableClient.from_connection_string(service.connection_string, "accounts") as table:
        entity = table.get_entity("acme", "head:connection")
        moved = {name: str(value).replace(CONTOSO, NOBODYS_TENANT) for name, value in entity.items()}
        table.upsert_entity(moved, mode="replace")
    service.clock.advance(timedelta(seconds=11))
    response = person.authorize(unite, prompt=prompt)
    if prompt:
        assert refused(service, response, unite) == "interaction_required"
    else:
        ways_on(response, 409, "consent-missing", "access_denied")
    assert contoso("GET", "/v1/accounts/acme/connection").json()["status"] == "consent_revoked"
    assert person.authorize(unite).headers["location"].startswith(without_query(PASSWORD_URI))


# -- which address? ---------------------------------------------------------------------------------------------------


def test_a_person_whom_nobody_named_is_asked_for_their_address(contoso: Caller, unite: Asked, person: Person) -> None:
    response = person.authorize(unite, login_hint=None, max_age="60")
    page = Shown.by(response)
    assert (response.status_code, page.title) == (200, "Sign in to Unite")
    field = page.one("input", id="email")
    assert page.one("label", **{"for": "email"}).text == "Email address"
    assert field.attributes | {"name": "login_hint", "type": "email", "autocomplete": "username"} == field.attributes
    assert {"required", "autofocus"} <= field.attributes.keys()
    assert field.attributes.keys().isdisjoint({"aria-invalid", "aria-describedby", "value"})
    form = person.browser.open(str(response.url)).forms[0]
    assert form.action == f"{person.service.url}/oauth2/authorize"
    assert form.fields == unite.parameters(max_age="60", login_hint="")
    assert "form-action 'self' http:" in response.headers["content-security-policy"]
    assert page.one("html", lang="en")


def test_the_address_that_is_typed_leads_on_as_if_the_application_had_named_it(
    contoso: Caller, unite: Asked, person: Person
) -> None:
    page = person.browser.open(str(person.authorize(unite, login_hint=None).url))
    url = person.press(page, "", login_hint=f" {ALICE.upper()} ")
    assert query_of(url)["login_hint"] == ALICE
    assert answered(person.open(person.sign_in_at_microsoft(url)))["state"] == unite.state


@pytest.mark.parametrize(
    "typed", ["alice", "alice@", "alice@contoso", "a b@contoso.example", "@", SCRIPT, "\0@x.example"]
)
def test_what_is_no_address_is_asked_for_again_with_the_fault(unite: Asked, person: Person, typed: str) -> None:
    response = person.authorize(unite, login_hint=typed)
    page = Shown.by(response)
    assert (response.status_code, page.title) == (422, "Sign in to Unite")
    field, fault = page.one("input", id="email"), page.one("p", id="fault")
    assert (field.attributes["aria-invalid"], field.attributes["aria-describedby"]) == ("true", "fault")
    assert field.attributes["value"] == typed, "it can be mended"
    assert fault.attributes["role"] == "alert"
    assert fault.text.startswith("This is not an email address.")


def test_what_is_typed_wrong_is_asked_for_again_with_all_that_goes_along(unite: Asked, person: Person) -> None:
    url = str(person.authorize(unite, login_hint=None).url)
    (form,) = person.browser.open(url).forms
    response = person.browser.send("POST", form.action, {**form.fields, "login_hint": "alice"})
    assert response.status_code == 422
    page = Shown.by(response)
    assert page.one("p", id="fault")
    assert [page.one("input", name=name).attributes["value"] for name in ("state", "nonce")] == [
        unite.state,
        unite.nonce,
    ]


@pytest.mark.parametrize("name", ["state", "nonce"])
def test_a_script_in_what_goes_along_with_the_form_stays_text(unite: Asked, person: Person, name: str) -> None:
    page = Shown.by(person.authorize(unite, login_hint=None, **{name: SCRIPT}))
    assert page.one("input", name=name).attributes["value"] == SCRIPT


def test_a_script_in_the_name_of_an_application_stays_text(register: Register, person: Person) -> None:
    register("unite", name=SCRIPT).raise_for_status()
    assert Shown.by(person.authorize(Asked(), login_hint=None)).title == f"Sign in to {SCRIPT}"


@pytest.mark.parametrize("name", ["scope", "max_age", "response_type", "code_challenge", "request_uri"])
def test_a_script_in_a_parameter_is_not_repeated_to_the_client(unite: Asked, person: Person, name: str) -> None:
    response = person.authorize(unite, **{name: SCRIPT})
    refused(person.service, response, unite)
    assert "alert" not in response.headers["location"]


def test_each_sign_in_has_a_cookie_and_a_secret_of_its_own(
    contoso: Caller, unite: Asked, person: Person, new_person: NewPerson
) -> None:
    answers = [somebody.authorize(unite) for somebody in (person, person, new_person())]
    pairs = [answer.headers["set-cookie"].partition(";")[0].partition("=") for answer in answers]
    assert [len({pair[part] for pair in pairs}) for part in (0, 2)] == [3, 3]


def test_a_browser_that_begins_sign_ins_and_ends_none_keeps_the_newest_of_them(
    contoso: Caller, unite: Asked, person: Person
) -> None:
    first, *others = [person.leave(unite) for _ in range(MOST + 1)]
    assert len(person.cookies) == MOST
    spent = person.open(person.sign_in_at_microsoft(first))
    assert spent.status_code == 400
    for url in (others[0], others[-1]):
        assert answered(person.open(person.sign_in_at_microsoft(url)))["state"] == unite.state
