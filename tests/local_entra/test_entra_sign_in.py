"""Sign-in and tokens, as real MSAL sees them: what is issued, and everything that is refused."""

import base64
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import httpx
import jwt
import msal
import pytest
import requests

from local import loopback
from local.cast.browser import Page
from local.entra.directory import EVERY_MEMBER, ROLE_TEMPLATES
from local.entra.server import LocalEntra
from tests.local_entra.browser import Answer, Browser
from tests.local_entra.conftest import CALLBACK, CLIENT_ID, CONTOSO, FABRIKAM, SECRET, Client, text

VERIFIER = "a-code-verifier-of-forty-three-characters-or-more"
CHALLENGE = "ahPqLsi7P3zVk_x_mrtpwuI1ckS-ixx0SqLQLE0lQXA"

pytestmark = pytest.mark.usefixtures("consented")


def answered(answer: object) -> Answer:
    assert isinstance(answer, Answer), f"no answer but {answer}"
    return answer


def signed_in(browser: Browser, client: Client, email: str, tenant: str = CONTOSO, **more: Any) -> dict[str, Any]:
    """The whole code flow through MSAL."""
    application, flow = client.start(tenant, **more)
    answer = answered(browser.sign_in(browser.open(flow["auth_uri"]), email))
    result: dict[str, Any] = application.acquire_token_by_auth_code_flow(
        flow, dict(answer.parameters), scopes=["User.Read", "email"]
    )
    return result


def claims_of(browser: Browser, client: Client, email: str, tenant: str = CONTOSO) -> dict[str, Any]:
    result = signed_in(browser, client, email, tenant)
    assert "error" not in result, result
    claims: dict[str, Any] = result["id_token_claims"]
    return claims


def authorize_query(**changes: str | None) -> dict[str, str]:
    query: dict[str, str | None] = {
        "client_id": CLIENT_ID,
        "response_type": "code",
        "redirect_uri": CALLBACK,
        "scope": "openid profile email User.Read",
        "state": "the-state",
        "nonce": "the-nonce",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    }
    return {name: value for name, value in (query | changes).items() if value is not None}


def authorize_url(entra: LocalEntra, tenant: str = CONTOSO) -> str:
    return f"{entra.http}/{tenant}/oauth2/v2.0/authorize"


def code_for(browser: Browser, entra: LocalEntra, tenant: str = CONTOSO) -> str:
    page = browser.open(authorize_url(entra, tenant), authorize_query())
    return answered(browser.sign_in(page, "alice@contoso.example")).parameters["code"]


def redeem(client: Client, code: str | None, **changes: str | None) -> dict[str, Any]:
    form: dict[str, str | None] = {
        "grant_type": "authorization_code",
        "client_id": CLIENT_ID,
        "client_secret": SECRET,
        "code": code,
        "code_verifier": VERIFIER,
        "redirect_uri": CALLBACK,
        "tenant": CONTOSO,
    } | changes
    return client.post(f"/{form.pop('tenant')}/oauth2/v2.0/token", **form)


# -- what a sign-in gives --------------------------------------------------


def test_msal_signs_a_user_in(browser: Browser, client: Client) -> None:
    claims = claims_of(browser, client, "alice@contoso.example")

    assert claims["aud"] == CLIENT_ID
    assert claims["iss"] == f"{client.entra.https}/{CONTOSO}/v2.0"
    assert (claims["tid"], claims["oid"]) == (CONTOSO, "c0c00000-0000-4000-8000-00000000a11c")
    assert claims["preferred_username"] == claims["email"] == "alice@contoso.example"
    assert (claims["acct"], claims["xms_edov"], claims["ver"]) == (0, True, "2.0")
    assert claims["wids"] == [EVERY_MEMBER]
    assert claims["sub"] != claims["oid"]


def test_the_id_token_verifies_with_the_published_keys(browser: Browser, client: Client) -> None:
    token = signed_in(browser, client, "alice@contoso.example")["id_token"]
    keys = client.graph(f"{client.entra.https}/{CONTOSO}/discovery/v2.0/keys").json()["keys"]
    issuer = f"{client.entra.https}/{CONTOSO}/v2.0"

    assert all(key["issuer"] == issuer for key in keys)
    chosen = next(key for key in keys if key["kid"] == jwt.get_unverified_header(token)["kid"])
    claims = jwt.decode(token, jwt.PyJWK(chosen), algorithms=["RS256"], audience=CLIENT_ID, issuer=issuer)
    assert claims["oid"] == "c0c00000-0000-4000-8000-00000000a11c"


def test_an_administrator_shows_the_role_in_wids(browser: Browser, client: Client) -> None:
    claims = claims_of(browser, client, "ada@contoso.example")

    assert claims["wids"] == [ROLE_TEMPLATES["Global Administrator"], EVERY_MEMBER]


def test_a_guest_signs_in_at_home_and_is_a_guest_here(browser: Browser, client: Client) -> None:
    claims = claims_of(browser, client, "gina@fabrikam.example")

    assert (claims["tid"], claims["oid"]) == (CONTOSO, "c0c00000-0000-4000-8000-0000000091a0")
    assert (claims["acct"], claims["xms_edov"]) == (1, False)
    assert claims["idp"] == f"{client.entra.https}/{FABRIKAM}/v2.0"
    assert "wids" not in claims


def test_a_user_principal_name_need_not_be_the_mail(browser: Browser, client: Client) -> None:
    claims = claims_of(browser, client, "c.jones@contoso.example")

    assert (claims["preferred_username"], claims["email"]) == (
        "c.jones@contoso.example",
        "carol@contoso-mail.example",
    )


def test_no_mail_no_email_claim(browser: Browser, client: Client) -> None:
    assert "email" not in claims_of(browser, client, "erin@contoso.example")


def test_an_attacker_writes_any_email(browser: Browser, client: Client, control: httpx.Client) -> None:
    control.post("/consents/bad00000-0000-4000-8000-000000000000/grant").raise_for_status()

    claims = claims_of(browser, client, "mallory@attacker.example", "attacker.example")

    assert (claims["email"], claims["xms_edov"]) == ("alice@contoso.example", False)


def test_organizations_signs_in_at_home(browser: Browser, client: Client) -> None:
    assert claims_of(browser, client, "alice@contoso.example", "organizations")["tid"] == CONTOSO


def test_without_the_profile_scope_nobody_is_identified(browser: Browser, client: Client) -> None:
    page = browser.open(authorize_url(client.entra), authorize_query(scope="openid"))
    code = answered(browser.sign_in(page, "alice@contoso.example")).parameters["code"]

    claims = jwt.decode(redeem(client, code)["id_token"], options={"verify_signature": False})

    assert {"oid", "tid", "name", "preferred_username"}.isdisjoint(claims)


# -- the browser's session --------------------------------------------------


def test_who_is_signed_in_is_not_asked_again(browser: Browser, entra: LocalEntra) -> None:
    code_for(browser, entra)

    assert "code" in answered(browser.open(authorize_url(entra), authorize_query())).parameters
    assert "code" in answered(browser.open(authorize_url(entra), authorize_query(prompt="none"))).parameters


def test_prompt_login_asks_again(browser: Browser, entra: LocalEntra) -> None:
    code_for(browser, entra)
    page = browser.open(authorize_url(entra), authorize_query(prompt="login"))

    assert isinstance(page, Page)
    assert page.buttons == ["sign_in"]
    page.forms[0].buttons.append(("action", "return"))
    assert "code" not in answered(browser.press(page, "return")).parameters
    assert "code" in answered(browser.sign_in(page, "alice@contoso.example")).parameters


def auth_time_of(client: Client, answer: object) -> int:
    """When the person of this answer signed in."""
    token = redeem(client, answered(answer).parameters["code"])["id_token"]
    auth_time: int = jwt.decode(token, options={"verify_signature": False})["auth_time"]
    return auth_time


@pytest.fixture
def an_hour_later(entra: LocalEntra, monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """Lets an hour pass at Entra; the time that it is then."""
    now = entra.cloud.clock

    def pass_time() -> int:
        later: datetime = now() + timedelta(hours=1)
        monkeypatch.setattr(entra.cloud, "clock", lambda: later)
        return int(later.timestamp())

    return pass_time


def test_auth_time_stays_while_nobody_is_asked(
    browser: Browser, client: Client, an_hour_later: Callable[[], int]
) -> None:
    page = browser.open(authorize_url(client.entra), authorize_query())
    first = auth_time_of(client, browser.sign_in(page, "alice@contoso.example"))
    later = an_hour_later()

    assert abs(later - 3600 - first) <= 60
    for more in ({}, {"prompt": "none"}):
        assert auth_time_of(client, browser.open(authorize_url(client.entra), authorize_query(**more))) == first
    picker = browser.open(authorize_url(client.entra), authorize_query(prompt="select_account"))
    assert auth_time_of(client, browser.press(picker, "continue")) == first


def test_prompt_login_makes_a_new_auth_time(browser: Browser, client: Client, an_hour_later: Callable[[], int]) -> None:
    code_for(browser, client.entra)
    later = an_hour_later()
    page = browser.open(authorize_url(client.entra), authorize_query(prompt="login"))

    assert auth_time_of(client, browser.sign_in(page, "alice@contoso.example")) == later


def test_a_registration_that_does_not_list_auth_time_gets_none(
    browser: Browser, client: Client, entra: LocalEntra
) -> None:
    directory = entra.cloud.directory
    without = directory.application.model_copy(
        update={"optional_claims": directory.application.optional_claims - {"auth_time"}}
    )
    entra.cloud.directory = directory.model_copy(update={"application": without})

    assert "auth_time" not in claims_of(browser, client, "alice@contoso.example")


def test_prompt_select_account_offers_who_is_signed_in(browser: Browser, entra: LocalEntra) -> None:
    code_for(browser, entra)
    page = browser.open(authorize_url(entra), authorize_query(prompt="select_account"))

    assert "alice@contoso.example" in text(page)
    assert "code" in answered(browser.press(page, "continue")).parameters


def test_prompt_none_with_nobody_signed_in_is_an_error(browser: Browser, entra: LocalEntra) -> None:
    answer = answered(browser.open(authorize_url(entra), authorize_query(prompt="none")))

    assert answer.parameters["error"] == "login_required"
    assert answer.parameters["error_description"].startswith("AADSTS50058: ")


def test_a_login_hint_fills_the_page_and_asks_for_another_person(browser: Browser, entra: LocalEntra) -> None:
    code_for(browser, entra)
    page = browser.open(authorize_url(entra), authorize_query(login_hint="bob@contoso-mail.example"))

    assert 'value="bob@contoso-mail.example"' in text(page)


def test_the_opaque_login_hint_claim_is_a_hint(browser: Browser, client: Client) -> None:
    hint = claims_of(browser, client, "alice@contoso.example")["login_hint"]
    with Browser() as fresh:
        page = fresh.open(authorize_url(client.entra), authorize_query(login_hint=hint))

    assert 'value="alice@contoso.example"' in text(page)


def test_form_post_brings_the_answer_as_a_form(browser: Browser, entra: LocalEntra) -> None:
    page = browser.open(authorize_url(entra), authorize_query(response_mode="form_post"))
    answer = answered(browser.sign_in(page, "alice@contoso.example"))

    assert answer.redirect_uri == CALLBACK
    assert answer.parameters["state"] == "the-state"
    assert "code" in answer.parameters


def test_signing_out_tells_the_application_its_sid(browser: Browser, client: Client) -> None:
    sid = claims_of(browser, client, "alice@contoso.example")["sid"]
    url = f"{client.entra.http}/{CONTOSO}/oauth2/v2.0/logout"

    page = browser.open(url, {"post_logout_redirect_uri": "http://localhost:7071/signed-out", "state": "s"})

    assert isinstance(page, Page)
    assert page.frames == (f"http://localhost:7071/signin/front-channel-logout?sid={sid}",)
    assert 'url=http://localhost:7071/signed-out?state=s"' in page.html
    again = browser.open(authorize_url(client.entra), authorize_query(prompt="none"))
    assert answered(again).parameters["error"] == "login_required"


def test_signing_out_goes_nowhere_unregistered(browser: Browser, entra: LocalEntra) -> None:
    page = browser.open(
        f"{entra.http}/common/oauth2/v2.0/logout", {"post_logout_redirect_uri": "https://attacker.example/"}
    )

    assert "attacker.example" not in text(page)


# -- what authorize refuses --------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"redirect_uri": "http://localhost:7071/v1/connect/callback?x=1"}, "AADSTS50011"),
        ({"redirect_uri": "https://attacker.example/"}, "AADSTS50011"),
        ({"client_id": "11111111-1111-4111-8111-111111111111"}, "AADSTS700016"),
    ],
)
def test_nobody_is_sent_to_an_unknown_address(
    browser: Browser, entra: LocalEntra, changes: dict[str, str], code: str
) -> None:
    assert code in text(browser.open(authorize_url(entra), authorize_query(**changes)))


@pytest.mark.parametrize(
    ("changes", "error", "code"),
    [
        ({"response_type": "id_token"}, "unsupported_response_type", "AADSTS700054"),
        ({"response_mode": "fragment"}, "invalid_request", "AADSTS90023"),
        ({"nonce": None}, "invalid_request", "AADSTS900144"),
        ({"state": None}, "invalid_request", "AADSTS900144"),
        ({"scope": "User.Read"}, "invalid_request", "AADSTS90023"),
        ({"scope": "openid Everything.Read"}, "invalid_client", "AADSTS650053"),
        ({"scope": "openid https://other.example/Read"}, "invalid_resource", "AADSTS500011"),
        ({"code_challenge": None}, "invalid_request", "AADSTS9002325"),
        ({"code_challenge_method": "plain"}, "invalid_request", "AADSTS9002325"),
        ({"prompt": "select_account", "login_hint": "a@contoso.example"}, "invalid_request", "AADSTS90023"),
        ({"prompt": "anything"}, "invalid_request", "AADSTS90023"),
    ],
)
def test_an_improper_request_is_answered_with_an_error(
    browser: Browser, entra: LocalEntra, changes: dict[str, str | None], error: str, code: str
) -> None:
    answer = answered(browser.open(authorize_url(entra), authorize_query(**changes)))

    assert answer.parameters["error"] == error
    assert answer.parameters["error_description"].startswith(f"{code}: ")
    assert "code" not in answer.parameters


def test_a_repeated_parameter_is_refused(browser: Browser, entra: LocalEntra) -> None:
    url = f"{authorize_url(entra)}?client_id={CLIENT_ID}&client_id={CLIENT_ID}"

    assert "AADSTS9002313" in text(browser.open(url))


@pytest.mark.parametrize("email", ["paula@fabrikam.example", "pat@outlook.example"])
def test_a_stranger_stays_on_entras_page(browser: Browser, entra: LocalEntra, email: str) -> None:
    page = browser.open(authorize_url(entra), authorize_query())

    assert "AADSTS50020" in text(browser.sign_in(page, email))


def test_a_tenant_without_consent_needs_its_administrator(browser: Browser, entra: LocalEntra) -> None:
    page = browser.open(authorize_url(entra, FABRIKAM), authorize_query())
    refused = browser.sign_in(page, "gina@fabrikam.example")
    silent = browser.open(authorize_url(entra, FABRIKAM), authorize_query(prompt="none"))

    assert "AADSTS90094" in text(refused)
    assert answered(browser.press(refused, "return")).parameters["error"] == "access_denied"
    assert answered(silent).parameters["error"] == "consent_required"


def test_a_scope_nobody_granted_needs_consent(browser: Browser, entra: LocalEntra) -> None:
    page = browser.open(authorize_url(entra), authorize_query(scope="openid offline_access"))

    assert "AADSTS90094" in text(browser.sign_in(page, "alice@contoso.example"))


# -- what the token endpoint refuses --------------------------------------------------


def test_a_code_buys_tokens_once(browser: Browser, client: Client) -> None:
    code = code_for(browser, client.entra)

    assert "id_token" in redeem(client, code)
    again = redeem(client, code)
    assert (again["error"], again["error_codes"]) == ("invalid_grant", [54005])


def test_a_code_expires(browser: Browser, client: Client, control: httpx.Client) -> None:
    code = code_for(browser, client.entra)
    control.put("/hostile", json={"clock_offset": 601}).raise_for_status()

    assert redeem(client, code)["error_codes"] == [70008]


@pytest.mark.parametrize(
    ("changes", "error", "number"),
    [
        ({"code_verifier": VERIFIER.upper()}, "invalid_grant", 501481),
        ({"code_verifier": None}, "invalid_request", 900144),
        ({"redirect_uri": "http://localhost:7071/signin/callback"}, "invalid_grant", 500112),
        ({"redirect_uri": None}, "invalid_request", 900144),
        ({"client_secret": "wrong"}, "invalid_client", 7000215),
        ({"client_secret": None}, "invalid_client", 7000218),
        ({"client_id": "11111111-1111-4111-8111-111111111111"}, "unauthorized_client", 700016),
        ({"code": "unknown"}, "invalid_request", 9002313),
        ({"grant_type": "password"}, "unsupported_grant_type", 70003),
        ({"grant_type": "refresh_token"}, "unsupported_grant_type", 70003),
        ({"tenant": FABRIKAM}, "invalid_grant", 700005),
        ({"tenant": "organizations"}, "invalid_grant", 700005),
        ({"tenant": "nowhere.example"}, "invalid_tenant", 90002),
    ],
)
def test_a_code_buys_nothing_for_the_wrong_bearer(
    browser: Browser, client: Client, changes: dict[str, str | None], error: str, number: int
) -> None:
    code = code_for(browser, client.entra)

    refused = redeem(client, **{"code": code} | changes)

    assert (refused["error"], refused["error_codes"]) == (error, [number])
    assert refused["error_description"].startswith(f"AADSTS{number}: ")
    assert {"timestamp", "trace_id", "correlation_id"} <= refused.keys()
    assert "id_token" in redeem(client, code)


def test_a_departed_user_gets_no_tokens(browser: Browser, client: Client, control: httpx.Client) -> None:
    code = code_for(browser, client.entra)
    alice = "c0c00000-0000-4000-8000-00000000a11c"
    control.put(f"/tenants/{CONTOSO}/users/{alice}", json={"enabled": False}).raise_for_status()

    assert redeem(client, code)["error_codes"] == [50057]


# -- the application on its own --------------------------------------------------


def test_client_credentials_carry_the_granted_roles(client: Client) -> None:
    token = client.msal(CONTOSO).acquire_token_for_client([client.scope])["access_token"]

    claims = jwt.decode(token, options={"verify_signature": False})

    assert (claims["aud"], claims["tid"], claims["roles"]) == (
        client.entra.https,
        CONTOSO,
        ["Organization.Read.All"],
    )


@pytest.mark.parametrize(
    ("tenant", "scope", "number"),
    [
        (FABRIKAM, "{graph}/.default", 700016),
        (CONTOSO, "{graph}/User.Read", 1002012),
        (CONTOSO, "https://graph.example/.default", 500011),
    ],
)
def test_client_credentials_refused(client: Client, tenant: str, scope: str, number: int) -> None:
    refused = client.msal(tenant).acquire_token_for_client([scope.format(graph=client.entra.https)])

    assert refused["error_codes"] == [number]


def test_client_credentials_need_a_tenant(client: Client) -> None:
    form = {
        "grant_type": "client_credentials",
        "client_id": CLIENT_ID,
        "client_secret": SECRET,
        "scope": client.scope,
    }

    assert client.post("/organizations/oauth2/v2.0/token", **form)["error_codes"] == [50059]


def test_a_wrong_secret_is_refused(client: Client) -> None:
    refused = client.msal(CONTOSO, "wrong").acquire_token_for_client([client.scope])

    assert (refused["error"], refused["error_codes"]) == ("invalid_client", [7000215])


def test_the_secret_may_come_by_basic_authentication(client: Client, back_channel: requests.Session) -> None:
    answer = back_channel.post(
        f"{client.entra.https}/{CONTOSO}/oauth2/v2.0/token",
        data={"grant_type": "client_credentials", "scope": client.scope},
        auth=(CLIENT_ID, SECRET),
        timeout=5,
    )

    assert "access_token" in answer.json()


def identity_token(entra: LocalEntra, resource: str = "api://AzureADTokenExchange") -> str:
    answer = loopback.get(
        f"{entra.http}/msi/token",
        params={"resource": resource, "api-version": "2019-08-01"},
        headers={"X-IDENTITY-HEADER": "local-identity-header"},
    )
    token: str = answer.json()["access_token"]
    return token


def test_a_managed_identity_stands_for_the_secret(client: Client) -> None:
    credential = {"client_assertion": lambda: identity_token(client.entra)}

    assert "access_token" in client.msal(CONTOSO, credential).acquire_token_for_client([client.scope])


def test_msal_reads_the_managed_identity_endpoint(
    client: Client, monkeypatch: pytest.MonkeyPatch, back_channel: requests.Session
) -> None:
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"{client.entra.http}/msi/token")
    monkeypatch.setenv("IDENTITY_HEADER", "local-identity-header")
    identity = msal.UserAssignedManagedIdentity(client_id="5e110000-0000-4000-8000-0000000001d0")
    source = msal.ManagedIdentityClient(identity, http_client=back_channel)

    answer = source.acquire_token_for_client(resource="api://AzureADTokenExchange")

    credential = {"client_assertion": lambda: answer["access_token"]}
    assert "access_token" in client.msal(CONTOSO, credential).acquire_token_for_client([client.scope])


def test_a_token_of_the_identity_for_something_else_is_no_assertion(client: Client) -> None:
    credential = {"client_assertion": lambda: identity_token(client.entra, "https://storage.azure.com")}

    refused = client.msal(CONTOSO, credential).acquire_token_for_client([client.scope])

    assert refused["error_codes"] == [700212]


def test_an_assertion_of_a_stranger_is_refused(client: Client) -> None:
    header, payload, _ = identity_token(client.entra).split(".")
    forged = f"{header}.{payload}.{base64.urlsafe_b64encode(bytes(256)).decode().rstrip('=')}"

    refused = client.msal(CONTOSO, {"client_assertion": lambda: forged}).acquire_token_for_client([client.scope])

    assert (refused["error"], refused["error_codes"]) == ("invalid_client", [700027])


# -- hostile modes --------------------------------------------------


@pytest.mark.parametrize("forgery", ["stranger", "unknown_kid", "none", "hs256", "tampered"])
def test_hostile_signatures_do_not_verify(
    browser: Browser, client: Client, control: httpx.Client, forgery: str
) -> None:
    control.put("/hostile", json={"id_token_signature": forgery}).raise_for_status()
    token = redeem(client, code_for(browser, client.entra))["id_token"]
    keys = client.graph(f"{client.entra.https}/{CONTOSO}/discovery/v2.0/keys").json()["keys"]

    for key in keys:
        with pytest.raises(jwt.InvalidTokenError):
            jwt.decode(token, jwt.PyJWK(key), algorithms=["RS256"], audience=CLIENT_ID)


def test_hostile_claims_are_set_and_removed(browser: Browser, client: Client, control: httpx.Client) -> None:
    control.put("/hostile", json={"id_token": {"tid": "another", "oid": None}}).raise_for_status()

    claims = jwt.decode(
        redeem(client, code_for(browser, client.entra))["id_token"], options={"verify_signature": False}
    )

    assert claims["tid"] == "another"
    assert "oid" not in claims


def test_hostile_sign_ins_look_old(browser: Browser, client: Client, control: httpx.Client) -> None:
    honest = claims_of(browser, client, "alice@contoso.example")["auth_time"]
    control.put("/hostile", json={"auth_time_offset": -3600}).raise_for_status()

    again = browser.open(authorize_url(client.entra), authorize_query())

    assert auth_time_of(client, again) == honest - 3600


def test_hostile_prompt_login_asks_nobody(browser: Browser, entra: LocalEntra, control: httpx.Client) -> None:
    code_for(browser, entra)
    control.put("/hostile", json={"ignore_prompt_login": True}).raise_for_status()

    answer = browser.open(authorize_url(entra), authorize_query(prompt="login"))

    assert "code" in answered(answer).parameters


def test_hostile_policy_refuses_or_strands(browser: Browser, client: Client, control: httpx.Client) -> None:
    control.put("/hostile", json={"authorize_error": {}}).raise_for_status()
    page = browser.sign_in(browser.open(authorize_url(client.entra), authorize_query()), "alice@contoso.example")
    control.put(
        "/hostile",
        json={"authorize_error": {"aadsts": 50105, "sentence": "Not assigned.", "stranded": True}},
    ).raise_for_status()
    stranded = browser.open(authorize_url(client.entra), authorize_query())

    assert answered(page).parameters["error_description"].startswith("AADSTS53003: ")
    assert "AADSTS50105" in text(stranded)


def test_hostile_token_endpoint_out_of_order(client: Client, control: httpx.Client) -> None:
    application = client.msal(CONTOSO)
    control.put("/hostile", json={"token_status": 503}).raise_for_status()

    # MSAL's own way to say that a server failed.
    with pytest.raises(msal.exceptions.MsalServiceError, match="503"):
        application.acquire_token_for_client([client.scope])


def test_hostile_token_endpoint_slow(client: Client, control: httpx.Client, back_channel: requests.Session) -> None:
    control.put("/hostile", json={"token_delay": 0.3}).raise_for_status()

    with pytest.raises(requests.ReadTimeout):
        back_channel.post(f"{client.entra.https}/{CONTOSO}/oauth2/v2.0/token", timeout=0.1)
