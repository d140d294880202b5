"""The browser's way through an integration, and every way to cheat on it."""

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from html import escape, unescape
from threading import Barrier
from typing import Any
from urllib.parse import quote, urlsplit
from uuid import UUID

import httpx
import pytest
from azure.data.tables import TableClient

from functions.http.dialects.pages import Pages
from local import loopback
from local.cast.browser import Browser
from local.cast.stack import MASTER_KEY
from local.entra.server import LocalEntra
from shared.branding import Branding, Colour
from shared.flows.flows import name_of
from tests.http.conftest import ATTACKER, CONTOSO, FABRIKAM, PERSONAL, Caller, Resolve, Switch, Token, Walk
from tests.support.integration import (
    NEVER_CONNECTED,
    Integration,
    edited,
    fill_in,
    press,
    query_of,
    standing,
    status,
    trail,
)
from tests.support.service import PANEL, RunningService

ADA, ALICE, MALLORY = "ada@contoso.example", "alice@contoso.example", "mallory@attacker.example"
NOBODYS_TENANT = "00000000-0000-4000-8000-000000000001"
HANDLE_LENGTH = 43
SCRIPT = "<script>alert(1)</script>"


@pytest.fixture
def integration(acme: Caller, browser: Browser) -> Integration:
    return Integration(acme, browser)


@pytest.fixture
def stranger() -> Iterator[Browser]:
    """Somebody else's browser."""
    with Browser() as opened:
        yield opened


def refused(answer: httpx.Response, code: int, slug: str) -> None:
    """The answer is a page that refuses by this status and for this reason, under an id that operators find."""
    assert (answer.status_code, answer.headers["content-type"]) == (code, "text/html; charset=utf-8"), answer.text
    assert re.search(f"<code>{slug}, id [0-9a-f-]{{36}}<", answer.text)


# -- the way through -------------------------------------------------------------------------------------------------


def test_an_administrator_connects_the_tenant_and_its_domains_route(
    acme: Caller, connect: Walk, resolve: Resolve
) -> None:
    page = connect(acme)
    assert page.title == "Connected"
    assert "<h1>Acme is connected. Thank you.</h1>" in page.html
    assert status(acme) == "connected"
    acme("PATCH", "/v1/accounts/acme/policy", json={"mode": "on"}, headers={"If-Match": "*"}).raise_for_status()
    assert resolve.method("alice@contoso.example") == "sso"
    assert resolve.method("bob@contoso-mail.example") == "sso"


def test_a_privileged_role_administrator_may_connect(integration: Integration) -> None:
    assert integration.come_back(integration.prove("paula@fabrikam.example")).status_code == 200


def test_the_connection_remembers_who_made_it_and_the_trail_tells_the_way(
    acme: Caller, connect: Walk, entra: LocalEntra
) -> None:
    connect(acme)
    (ada,) = [user for user in entra.cloud.tenant(CONTOSO).users if user.user_principal_name == ADA]
    connection = acme("GET", "/v1/accounts/acme/connection").json()
    sam = {"subject": "panel-user-sam", "name": "Sam Security", "role": "SecurityManager"}
    expected = {
        "status": "connected",
        "tenantId": CONTOSO,
        "tenantName": "Contoso",
        "servicePrincipal": {
            "objectId": str(UUID(connection["servicePrincipal"]["objectId"])),
            "appId": entra.cloud.directory.application.client_id,
        },
        "connectedBy": sam,
        "pendingUntil": None,
    }
    assert {name: connection[name] for name in expected} == expected
    assert connection["lastCheck"]["at"] == connection["connectedAt"]
    newest = acme("GET", "/v1/accounts/acme/audit").json()["items"][0]
    assert newest["actor"]["reference"] != newest["details"]["consentedBy"]["reference"]
    assert (newest["action"], newest["actor"], newest["details"]) == (
        "connection.connected",
        sam | {"reference": newest["actor"]["reference"]},
        {
            "tenantId": CONTOSO,
            "tenantName": "Contoso",
            "consentedBy": {
                "oid": ada.oid,
                "name": "Ada Admin",
                "reference": newest["details"]["consentedBy"]["reference"],
            },
            "domains": {
                "contoso.example": "routed",
                "contoso-mail.example": "routed",
                "contoso.onmicrosoft.com": "not_routable",
            },
            "domainCounts": {"routed": 2, "not_routable": 1},
        },
    )
    assert trail(acme) == [("connection.connected", None), ("connection.started", None), ("account.registered", None)]


def test_a_ticket_binds_the_browser_and_leads_to_microsofts_consent_page(
    integration: Integration, entra: LocalEntra, service: RunningService
) -> None:
    opened = integration.open(integration.start())
    assert opened.status_code == 303
    cookie, *attributes = opened.headers.get_list("set-cookie")[0].split("; ")
    assert cookie.startswith(f"__Host-azure-sso-connect-{name_of(query_of(opened.headers['location'])['state'])}=")
    assert {attribute.lower() for attribute in attributes} == {
        "path=/",
        "max-age=600",
        "httponly",
        "secure",
        "samesite=lax",
    }
    assert (opened.headers["cache-control"], opened.headers["referrer-policy"]) == ("no-store", "no-referrer")
    target = opened.headers["location"]
    assert target.startswith(f"{entra.http}/organizations/v2.0/adminconsent?")
    assert query_of(target) | {"state": ""} == {
        "client_id": "a5500000-0000-4000-8000-0000000000a5",
        "scope": f"{entra.https}/.default",
        "redirect_uri": f"{service.url}/v1/connect/callback",
        "state": "",
    }


def test_the_proof_is_a_sign_in_at_the_consenting_tenant_with_pkce_and_nonce(integration: Integration) -> None:
    consent = integration.consent()
    departure = integration.come_back(consent)
    assert departure.status_code == 303
    target = departure.headers["location"]
    assert urlsplit(target).path == f"/{CONTOSO}/oauth2/v2.0/authorize"
    sent = query_of(target)
    assert (sent["response_type"], sent["response_mode"], sent["code_challenge_method"]) == ("code", "query", "S256")
    assert sent["nonce"]
    assert sent["state"] != query_of(consent)["state"]
    assert set(sent["scope"].split()) == {"openid", "profile", "email", "User.Read"}


def states_in(browser: Browser) -> dict[str, str]:
    """The states of this browser: the name of each cookie without what all of them begin with, and its secret."""
    prefix = "__Host-azure-sso-connect-"
    held = {name: value for (_, _, name), value in browser._cookies.items() if name.startswith(prefix)}
    return {name.removeprefix(prefix): value for name, value in held.items()}


def test_each_way_to_microsoft_has_a_cookie_of_its_own(integration: Integration) -> None:
    consent = integration.consent()
    ((flow, secret),) = states_in(integration.browser).items()
    assert flow == name_of(query_of(consent)["state"])
    proof = integration.sign_in(consent)
    (_, (next_flow, next_secret)) = states_in(integration.browser).items()
    assert next_flow == name_of(query_of(proof)["state"])
    assert secret != next_secret
    assert integration.come_back(proof).status_code == 200


def test_an_allowed_return_address_hears_that_it_is_connected(integration: Integration) -> None:
    arrival = integration.come_back(integration.prove(returnUrl=f"{PANEL}security?tab=2&connection=old"))
    assert (arrival.status_code, arrival.headers["location"]) == (
        303,
        f"{PANEL}security?tab=2&connection=connected",
    )


def test_nothing_that_a_browser_holds_can_be_read_in_the_store(
    integration: Integration, service: RunningService
) -> None:
    def keys() -> str:
        return repr([(row["PartitionKey"], row["RowKey"]) for row in service.rows("flows")])

    start_url = integration.start()
    ticket = query_of(start_url)["ticket"]
    assert len(service.rows("flows")) == 1
    assert ticket not in repr(service.rows("flows"))
    opened = integration.open(start_url)
    (browser,) = states_in(integration.browser).values()
    state = query_of(opened.headers["location"])["state"]
    assert len(service.rows("flows")) == 2
    for secret in (browser, state):
        assert secret not in repr(service.rows("flows"))
    page = fill_in(integration.browser, integration.browser.open(opened.headers["location"]), ADA)
    sent = query_of(integration.come_back(press(integration.browser, page, "accept")).headers["location"])
    assert len(service.rows("flows")) == 3
    assert sent["state"] not in repr(service.rows("flows"))
    for secret in (sent["nonce"], sent["code_challenge"]):
        assert secret not in keys()


def test_nothing_is_left_of_a_finished_integration_once_it_has_expired(
    integration: Integration, client: httpx.Client, service: RunningService
) -> None:
    integration.come_back(integration.prove())
    service.clock.advance(timedelta(minutes=13))
    client.post("/admin/functions/purge_flows", json={}, headers={"x-functions-key": MASTER_KEY}).raise_for_status()
    assert service.rows("flows") == []


# -- pages -----------------------------------------------------------------------------------------------------------


def headers_for_people(answer: httpx.Response) -> dict[str, str]:
    names = ("cache-control", "referrer-policy", "x-content-type-options", "x-frame-options")
    return {name: answer.headers[name] for name in names}


def shown(integration: Integration, page: str) -> httpx.Response:
    match page:
        case "invitation":
            return integration.look(integration.start())
        case "arrival":
            return integration.come_back(integration.prove())
        case _:
            return integration.look(integration.start().partition("?")[0] + "?ticket=none-such")


@pytest.mark.parametrize(
    ("page", "status_code", "form_action"),
    [("invitation", 200, "'self' http:"), ("arrival", 200, "'none'"), ("refusal", 400, "'none'")],
)
def test_pages_run_nothing_are_framed_by_nobody_and_kept_nowhere(
    integration: Integration, page: str, status_code: int, form_action: str
) -> None:
    answer = shown(integration, page)
    assert answer.status_code == status_code
    assert headers_for_people(answer) == {
        "cache-control": "no-store",
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
    }
    policy = dict(part.split(" ", 1) for part in answer.headers["content-security-policy"].split("; "))
    assert policy["style-src"].startswith("'sha256-")
    assert policy | {"style-src": ""} == {
        "default-src": "'none'",
        "style-src": "",
        "base-uri": "'none'",
        "form-action": form_action,
        "frame-ancestors": "'none'",
    }


def test_where_the_service_speaks_https_a_form_leads_over_nothing_else() -> None:
    pages = Pages(Branding(name=None, logo=None, colour=Colour("#0b5cad")))
    page = pages.connect("Acme", "Sam", "https://sso.example/v1/connect", {"ticket": "t", "shown": "s" * 43})
    assert "; form-action 'self' https:; " in page.headers["Content-Security-Policy"]


def test_an_account_name_cannot_speak_html(operator: Caller, integration: Integration) -> None:
    operator("PUT", "/v1/accounts/acme", json={"name": SCRIPT}, headers={"If-Match": "*"}).raise_for_status()
    for page in (integration.look(integration.start()), integration.come_back(integration.prove())):
        assert page.status_code == 200
        assert escape(SCRIPT) in page.text
        assert "<script" not in page.text


def test_the_name_of_who_started_cannot_speak_html(
    client: httpx.Client, token: Token, acme: Caller, browser: Browser
) -> None:
    walk = Integration(Caller(client, token("sam", account_id="acme", name=SCRIPT)), browser)
    page = walk.look(walk.start())
    assert escape(SCRIPT) in page.text
    assert "<script" not in page.text


def test_what_is_appended_to_a_ticket_cannot_speak_html(integration: Integration) -> None:
    page = integration.look(integration.start() + quote('"><script>', safe=""))
    assert page.status_code == 200
    assert "<script" not in page.text
    assert integration.open(str(page.url)).status_code == 303


def test_microsofts_words_are_explained_and_never_repeated(integration: Integration) -> None:
    forged = "AADSTS65004 <script>alert(1)</script> ada@contoso.example"
    answer = edited(integration.consent(), error="access_denied", error_description=forged)
    page = integration.come_back(answer)
    refused(page, 403, "consent-refused")
    assert "The consent page was declined." in page.text
    assert "(AADSTS65004)" in page.text
    for words in ("script", "ada@"):
        assert words not in page.text


def test_a_return_address_cannot_break_out_of_its_link(integration: Integration, hostile: Switch) -> None:
    hostile(consent_error="access_denied")
    page = integration.come_back(integration.consent(returnUrl=f'{PANEL}a"><script>alert(1)</script>?b="><i>'))
    assert "<script" not in page.text
    assert "<i>" not in page.text
    link = f'{PANEL}a"><script>alert(1)</script>?b="><i>&connection=refused'
    assert unescape(page.text.partition('<a href="')[2].partition('"')[0]) == link


def test_an_error_of_ours_is_a_page_with_an_id_and_without_details(
    integration: Integration, service: RunningService
) -> None:
    start_url = integration.start()
    (flow,) = service.rows("flows")
    with TableClient.from_connection_string(service.connection_string, "flows") as flows:
        flows.update_entity({**flow, "document": '{"half": "a document"'})
    for page in (integration.look(start_url), integration.open(start_url)):
        assert page.status_code == 500
        assert "Something went wrong" in page.text
        assert re.search("<code>id [0-9a-f-]{36}<", page.text)
        assert "document" not in page.text


# -- the invitation --------------------------------------------------------------------------------------------------


def test_whoever_gets_the_link_sees_which_account_it_connects_and_who_asks(
    integration: Integration, stranger: Browser
) -> None:
    start_url = integration.start()
    page = stranger.open(start_url)
    assert (page.status, page.title) == (200, "Connect Acme to Microsoft")
    for words in (
        "<strong>Sam Security</strong> asks you",
        "sign in to the account <strong>Acme</strong>",
        "You do not know the account Acme or Sam Security?",
    ):
        assert words in page.html
    (form,) = page.forms
    where, _, ticket = start_url.partition("?ticket=")
    assert (form.method, form.action, form.buttons) == ("post", where, [("action", "continue")])
    assert form.fields["ticket"] == ticket


def test_a_mail_scanner_that_looks_at_the_link_spends_and_changes_nothing(
    integration: Integration, stranger: Browser, service: RunningService
) -> None:
    start_url = integration.start()
    before = service.rows("flows"), service.rows("accounts")
    for _ in range(3):
        assert stranger.send("GET", start_url, {}).status_code == 200
    assert (service.rows("flows"), service.rows("accounts")) == before
    assert integration.open(start_url).status_code == 303


INVITED = "__Host-azure-sso-invitation-"


def sent_by_another_site(start_url: str, **more: Any) -> httpx.Response:
    """A form that another site sends by itself, with what browsers add: no referrer, and none of our Lax cookies."""
    sent_from = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    where, _, ticket = start_url.partition("?ticket=")
    form = {"ticket": ticket, "action": "continue", **more}
    return loopback.post(where, data=form, headers=sent_from, follow_redirects=False)


def shown_again(page: httpx.Response) -> bool:
    """Whether this is the invitation, with the words that ask for another press, and nothing has been spent."""
    return (
        page.status_code == 403
        and "Connect Acme to Microsoft" in page.text
        and "Please confirm once more that you know this account." in page.text
        and "location" not in page.headers
    )


def test_another_site_cannot_press_the_button_unseen(integration: Integration, service: RunningService) -> None:
    start_url = integration.start()
    before = service.rows("flows"), service.rows("accounts")
    assert shown_again(sent_by_another_site(start_url))
    assert (service.rows("flows"), service.rows("accounts")) == before


def test_another_site_cannot_use_what_it_was_shown_itself(integration: Integration, stranger: Browser) -> None:
    """The attacker started, so their browser may have the page, its cookie, and what its form brings back."""
    start_url = integration.start()
    (form,) = stranger.open(start_url).forms
    assert shown_again(sent_by_another_site(start_url, **form.fields))
    assert integration.browser.open(start_url).status == 200, "the victim's browser was shown the page, in a tab"
    assert shown_again(integration.browser.send("POST", form.action, {**form.fields, "action": "continue"}))
    unseen = {"ticket": form.fields["ticket"], "action": "continue"}
    assert shown_again(integration.browser.send("POST", form.action, unseen))


def test_who_is_shown_the_page_again_presses_once_more(integration: Integration) -> None:
    start_url = integration.start()
    where, _, ticket = start_url.partition("?ticket=")
    again = integration.browser.send("POST", where, {"ticket": ticket, "action": "continue"})
    assert shown_again(again)
    shown = unescape(again.text).partition('name="shown" value="')[2].partition('"')[0]
    pressed = integration.browser.send("POST", where, {"ticket": ticket, "shown": shown, "action": "continue"})
    assert pressed.status_code == 303


def test_what_shows_that_the_page_was_seen_is_for_one_link_and_one_browser(integration: Integration) -> None:
    start_url = integration.start()
    page = integration.look(start_url)
    cookie, *attributes = page.headers["set-cookie"].split("; ")
    name, secret = cookie.split("=")
    assert name == INVITED + name_of(query_of(start_url)["ticket"])
    assert {each.lower() for each in attributes} == {"path=/", "max-age=600", "httponly", "secure", "samesite=lax"}
    assert f'name="shown" value="{secret}"' in page.text
    assert integration.look(start_url).headers["set-cookie"].startswith(f"{cookie}; "), "two tabs get along"
    assert integration.open(start_url).status_code == 303
    assert integration.look(start_url).headers["set-cookie"].startswith(f"{cookie}; "), "and after the button"


# -- tickets and states ----------------------------------------------------------------------------------------------


def held(integration: Integration, leg: str) -> str:
    """Microsoft's answer to the consent or to the sign-in."""
    return integration.consent() if leg == "consent" else integration.prove()


LEGS = pytest.mark.parametrize("leg", ["consent", "sign-in"])


def test_a_ticket_expires(integration: Integration, service: RunningService) -> None:
    start_url = integration.start()
    service.clock.advance(timedelta(minutes=10))
    refused(integration.look(start_url), 400, "flow-spent")
    refused(integration.open(start_url), 400, "flow-spent")


def test_a_ticket_lives_nearly_ten_minutes(integration: Integration, service: RunningService) -> None:
    start_url = integration.start()
    service.clock.advance(timedelta(minutes=9))
    assert integration.look(start_url).status_code == 200
    assert integration.open(start_url).status_code == 303


def test_an_administrator_may_take_nearly_ten_minutes_for_each_step(
    integration: Integration, acme: Caller, service: RunningService
) -> None:
    start_url = integration.start()
    service.clock.advance(timedelta(minutes=9))
    page = integration.browser.open(integration.open(start_url).headers["location"])
    answer = press(integration.browser, fill_in(integration.browser, page, ADA), "accept")
    service.clock.advance(timedelta(minutes=9))
    answer = integration.sign_in(answer)
    service.clock.advance(timedelta(minutes=9))
    assert status(acme) == "pending"
    assert integration.come_back(answer).status_code == 200
    assert status(acme) == "connected"


def cancel(acme: Caller) -> None:
    acme("DELETE", "/v1/accounts/acme/connection", headers={"If-Match": "*"}).raise_for_status()


def test_a_link_that_was_cancelled_says_so(integration: Integration, acme: Caller) -> None:
    start_url = integration.start()
    cancel(acme)
    for page in (integration.look(start_url), integration.open(start_url)):
        refused(page, 409, "conflict")
        assert "cancelled" in page.text


@LEGS
def test_an_integration_that_is_cancelled_while_the_administrator_is_at_microsoft_connects_nothing(
    integration: Integration, acme: Caller, service: RunningService, leg: str
) -> None:
    answer = held(integration, leg)
    cancel(acme)
    refused(integration.come_back(answer), 409, "conflict")
    assert acme("GET", "/v1/accounts/acme/connection").json() == NEVER_CONNECTED
    assert service.rows("domains") == []


@pytest.mark.parametrize("again", [False, True], ids=["and gone", "and registered anew"])
def test_an_old_link_of_an_account_that_was_closed_reaches_nobody(
    integration: Integration, operator: Caller, *, again: bool
) -> None:
    start_url = integration.start()
    operator("DELETE", "/v1/accounts/acme", headers={"If-Match": "*"}).raise_for_status()
    if again:
        operator("PUT", "/v1/accounts/acme", json={"name": "Another"}).raise_for_status()
    for page in (integration.look(start_url), integration.open(start_url)):
        refused(page, *((409, "conflict") if again else (404, "not-found")))


def test_an_integration_that_was_started_anew_leaves_its_old_link_behind(
    integration: Integration, acme: Caller
) -> None:
    old, newest = integration.start(), integration.start()
    refused(integration.look(old), 409, "conflict")
    refused(integration.open(old), 409, "conflict")
    assert status(acme) == "pending"
    assert integration.open(newest).status_code == 303


@pytest.mark.parametrize("form", [{}, {"shown": "x"}, {"ticket": ["a", "b"]}, {"ticket": ""}])
def test_a_form_without_one_ticket_opens_nothing(service: RunningService, form: dict[str, Any]) -> None:
    refused(httpx.post(f"{service.url}/v1/connect", data={"action": "continue", **form}), 400, "flow-spent")


def test_an_address_without_a_ticket_opens_nothing(service: RunningService) -> None:
    refused(httpx.get(f"{service.url}/v1/connect"), 400, "flow-spent")


@pytest.mark.parametrize("ticket", ["invented", "%00", "%E2%82%AC", "a" * 2000])
def test_an_invented_ticket_opens_nothing(integration: Integration, ticket: str) -> None:
    start_url = integration.start().partition("?ticket=")[0] + "?ticket=" + ticket
    refused(integration.look(start_url), 400, "flow-spent")
    refused(integration.open(start_url), 400, "flow-spent")


@LEGS
def test_a_state_expires(integration: Integration, acme: Caller, service: RunningService, leg: str) -> None:
    answer = held(integration, leg)
    service.clock.advance(timedelta(minutes=10))
    refused(integration.come_back(answer), 400, "flow-spent")
    assert service.rows("domains") == []
    assert status(acme) == "pending"


@LEGS
def test_a_state_is_no_use_in_another_browser_and_stays_its_owners(
    integration: Integration, operator: Caller, stranger: Browser, service: RunningService, leg: str
) -> None:
    answer = held(integration, leg)
    before = standing(service)
    refused(stranger.send("GET", answer, {}), 400, "flow-spent")
    operator("PUT", "/v1/accounts/beta", json={"name": "Beta"}).raise_for_status()
    elsewhere = Integration(operator, stranger, "beta")
    assert elsewhere.open(elsewhere.start()).headers["set-cookie"]  # now it has a cookie, though not the right one
    refused(stranger.send("GET", answer, {}), 400, "flow-spent")
    assert [row for row in standing(service) if row["PartitionKey"] != "beta"] == before
    assert integration.come_back(answer).status_code == (303 if leg == "consent" else 200)


@LEGS
def test_a_tampered_state_is_unknown(integration: Integration, service: RunningService, leg: str) -> None:
    answer = held(integration, leg)
    state = query_of(answer)["state"]
    before = standing(service)
    other = ("b" if state[0] == "a" else "a") + state[1:]
    for tampered in (other, state[1:], state[:-1], state.swapcase(), "x" + state):
        refused(integration.come_back(edited(answer, state=tampered)), 400, "flow-spent")
    refused(integration.come_back(edited(answer, state=None)), 400, "flow-spent")
    assert standing(service) == before
    assert integration.come_back(answer).status_code == (303 if leg == "consent" else 200)


def test_a_ticket_is_no_state_and_a_state_no_ticket(integration: Integration, service: RunningService) -> None:
    callback = f"{service.url}/v1/connect/callback?admin_consent=True&tenant={CONTOSO}"
    ticket = query_of(integration.start())["ticket"]
    refused(integration.come_back(f"{callback}&state={ticket}"), 400, "flow-spent")
    state = query_of(integration.consent())["state"]
    refused(integration.look(f"{service.url}/v1/connect?ticket={state}"), 400, "flow-spent")
    refused(integration.open(f"{service.url}/v1/connect?ticket={state}"), 400, "flow-spent")


def test_text_that_a_browser_extension_appends_to_the_state_is_ignored(
    integration: Integration, hostile: Switch
) -> None:
    hostile(consent_state_suffix="#chrome-extension", authorize_state_suffix=" and more")
    answer = integration.prove()
    assert len(query_of(answer)["state"]) > HANDLE_LENGTH
    assert integration.come_back(answer).status_code == 200


@pytest.mark.parametrize("parameters", ["", "?code=a", "?admin_consent=True&tenant=x", "?error=access_denied"])
def test_an_answer_without_state_is_nobodys(service: RunningService, browser: Browser, parameters: str) -> None:
    refused(browser.send("GET", f"{service.url}/v1/connect/callback{parameters}", {}), 400, "flow-spent")


# -- consent refused -------------------------------------------------------------------------------------------------


def but_the_connection(service: RunningService) -> list[dict[str, Any]]:
    return [row for row in standing(service) if row["RowKey"] != "head:connection"]


def refuses(
    integration: Integration, acme: Caller, service: RunningService, answer: str, code: int, slug: str
) -> httpx.Response:
    """The answer is refused, and nothing comes of it but its audit record. This try is over, and the link is not."""
    before, written = but_the_connection(service), trail(acme)
    page = integration.come_back(answer)
    refused(page, code, slug)
    assert but_the_connection(service) == before
    assert service.rows("domains") == []
    assert trail(acme) == [("connection.refused", slug), *written]
    assert status(acme) == "pending"
    again = integration.come_back(answer)
    refused(again, 400, "flow-spent")
    for each in (page, again):
        assert ">Try again</a>" in each.text
        assert ">Back to the control panel</a>" in each.text
    assert trail(acme) == [("connection.refused", slug), *written], "it is written down once"
    return page


def waits(integration: Integration, answer: str) -> str:
    """The answer leads to the link, which waits for Microsoft; the link."""
    departure = integration.come_back(answer)
    assert departure.status_code == 303, departure.text
    link = str(departure.headers["location"])
    assert "/v1/connect?ticket=" in link
    page = integration.look(link)
    assert (page.status_code, status(integration.caller)) == (202, "pending"), page.text
    assert "Microsoft is not ready yet" in page.text
    return link


def test_a_declined_consent_is_told_to_the_person_and_to_the_trail(
    integration: Integration, acme: Caller, service: RunningService
) -> None:
    page = integration.consent_page(ADA, returnUrl=f"{PANEL}security")
    answer = press(integration.browser, page, "cancel")
    assert query_of(answer)["admin_consent"] == "True"
    told = refuses(integration, acme, service, answer, 403, "consent-refused")
    assert f'<a href="{PANEL}security?connection=refused" class="button">Back to the control panel</a>' in told.text


def test_an_error_is_read_before_admin_consent(
    integration: Integration, acme: Caller, service: RunningService, hostile: Switch
) -> None:
    hostile(consent_error="access_denied")
    answer = edited(integration.consent(), tenant=CONTOSO)
    assert (query_of(answer)["error"], query_of(answer)["admin_consent"]) == ("access_denied", "True")
    refuses(integration, acme, service, answer, 403, "consent-refused")


def test_an_unknown_error_is_refused_in_general_words(
    integration: Integration, acme: Caller, service: RunningService
) -> None:
    answer = edited(integration.consent(), error="some_new_error")
    page = refuses(integration, acme, service, answer, 403, "consent-refused")
    assert "Microsoft refused." in page.text


@pytest.mark.parametrize("admin_consent", ["False", "", "1", None])
def test_without_admin_consent_there_is_none(
    integration: Integration, acme: Caller, service: RunningService, admin_consent: str | None
) -> None:
    answer = edited(integration.consent(), admin_consent=admin_consent)
    refuses(integration, acme, service, answer, 403, "consent-refused")


def test_a_sign_in_that_microsoft_refuses_proves_nothing(
    integration: Integration, acme: Caller, service: RunningService, hostile: Switch
) -> None:
    hostile(authorize_error={"error": "access_denied", "aadsts": 53003})
    page = refuses(integration, acme, service, integration.prove(), 403, "consent-refused")
    assert "Conditional Access" in page.text


def test_a_sign_in_without_code_proves_nothing(integration: Integration, acme: Caller, service: RunningService) -> None:
    answer = edited(integration.prove(), code=None, admin_consent="True", tenant=CONTOSO)
    refuses(integration, acme, service, answer, 403, "consent-refused")


def test_a_code_that_was_redeemed_before_proves_nothing(
    integration: Integration, acme: Caller, service: RunningService, entra: LocalEntra
) -> None:
    answer = integration.prove()
    entra.cloud.codes[query_of(answer)["code"]].redeemed = True
    refuses(integration, acme, service, answer, 409, "provider-refused")


def test_a_code_of_another_sign_in_proves_nothing(
    integration: Integration, acme: Caller, service: RunningService, stranger: Browser
) -> None:
    stolen = query_of(Integration(acme, stranger).prove())["code"]
    refuses(integration, acme, service, edited(integration.prove(), code=stolen), 409, "provider-refused")


# -- forged tenants --------------------------------------------------------------------------------------------------


def test_a_forged_tenant_ends_at_microsoft_where_the_attacker_is_nobody(
    integration: Integration, acme: Caller, service: RunningService, hostile: Switch
) -> None:
    hostile(consent_tenant=CONTOSO)
    page = integration.browser.open(integration.consent(MALLORY))
    assert urlsplit(page.url).path == f"/{CONTOSO}/oauth2/v2.0/authorize"
    stranded = fill_in(integration.browser, page, MALLORY)
    assert "AADSTS50020" in stranded.html
    assert (status(acme), service.rows("domains")) == ("pending", [])


def test_a_forged_tenant_connects_nothing_even_with_an_insider(
    integration: Integration, acme: Caller, service: RunningService, control: httpx.Client, hostile: Switch
) -> None:
    control.post(f"/consents/{CONTOSO}/grant", json={}).raise_for_status()  # Contoso is another account's customer
    hostile(consent_tenant=CONTOSO)
    answer = integration.sign_in(integration.consent(MALLORY), ALICE)
    refuses(integration, acme, service, answer, 403, "proof-failed")


def test_a_hand_edited_tenant_connects_nothing_even_with_an_insider(
    integration: Integration, acme: Caller, service: RunningService, control: httpx.Client
) -> None:
    control.post(f"/consents/{CONTOSO}/grant", json={}).raise_for_status()
    answer = integration.sign_in(edited(integration.consent(MALLORY), tenant=CONTOSO), ALICE)
    refuses(integration, acme, service, answer, 403, "proof-failed")


def test_a_code_of_the_attackers_tenant_does_not_prove_the_forged_one(
    integration: Integration, acme: Caller, service: RunningService, control: httpx.Client
) -> None:
    control.post(f"/consents/{CONTOSO}/grant", json={}).raise_for_status()
    departure = integration.come_back(edited(integration.consent(MALLORY), tenant=CONTOSO))
    at_home = departure.headers["location"].replace(CONTOSO, ATTACKER)
    page = integration.browser.open(at_home)
    answer = press(integration.browser, page, "continue")
    refuses(integration, acme, service, answer, 409, "provider-refused")


def test_a_tenant_claim_of_another_organisation_does_not_hold(
    integration: Integration, acme: Caller, service: RunningService, hostile: Switch
) -> None:
    hostile(id_token={"tid": CONTOSO})
    refuses(integration, acme, service, integration.prove(MALLORY), 403, "proof-failed")


@pytest.mark.parametrize(
    "tenant", [None, "contoso.example", "../common", "common", "organizations", f"{CONTOSO}/..", PERSONAL]
)
def test_a_tenant_that_is_no_organisations_id_leads_nowhere(
    integration: Integration, acme: Caller, service: RunningService, tenant: str | None
) -> None:
    refuses(integration, acme, service, edited(integration.consent(), tenant=tenant), 403, "proof-failed")


def test_an_invented_tenant_leads_nowhere(integration: Integration, acme: Caller, service: RunningService) -> None:
    answer = edited(integration.consent(), tenant=NOBODYS_TENANT)
    page = refuses(integration, acme, service, answer, 409, "consent-missing")
    assert "There is no such organisation at Microsoft." in page.text


# -- who may prove ---------------------------------------------------------------------------------------------------


def test_an_admin_without_the_role_is_sent_for_one_who_has_it(
    integration: Integration, acme: Caller, service: RunningService
) -> None:
    page = integration.consent_page("fiona@fabrikam.example")
    page = integration.browser.submit(page, page.forms[0], {"action": "accept"})
    answer = press(integration.browser, page, "return")
    page = refuses(integration, acme, service, answer, 403, "consent-refused")
    assert "Only an administrator can consent to this." in page.text


@pytest.mark.parametrize("person", ["felix@fabrikam.example", "clara@fabrikam.example"])
def test_an_administrator_of_applications_cannot_consent_and_proves_nothing(
    integration: Integration, acme: Caller, service: RunningService, hostile: Switch, person: str
) -> None:
    """Application and Cloud Application Administrators cannot grant an application permission of Microsoft Graph."""
    hostile(consent_anyone=True)
    page = refuses(integration, acme, service, integration.prove(person), 403, "proof-failed")
    assert "Global Administrator, Privileged Role Administrator" in page.text
    assert "A custom role does not count" in page.text
    assert "Application Administrator" not in page.text


@pytest.mark.parametrize("person", ["fiona@fabrikam.example", "alice@contoso.example"])
def test_whoever_consented_without_a_role_proves_nothing(
    integration: Integration, acme: Caller, service: RunningService, hostile: Switch, person: str
) -> None:
    hostile(consent_anyone=True)
    page = refuses(integration, acme, service, integration.prove(person), 403, "proof-failed")
    assert "Global Administrator" in page.text


def test_a_consent_is_not_proven_by_somebody_else_of_the_tenant(
    integration: Integration, acme: Caller, service: RunningService
) -> None:
    answer = integration.sign_in(integration.consent(ADA), ALICE)
    refuses(integration, acme, service, answer, 403, "proof-failed")


def test_a_personal_account_gets_no_further_than_microsoft(
    integration: Integration, acme: Caller, service: RunningService
) -> None:
    assert "AADSTS50020" in integration.consent_page("pat@outlook.example").html
    assert (status(acme), service.rows("domains")) == ("pending", [])


def test_a_personal_account_that_microsoft_lets_through_is_refused(
    integration: Integration, acme: Caller, service: RunningService, hostile: Switch
) -> None:
    hostile(personal_accounts=True, consent_anyone=True)
    answer = integration.consent("pat@outlook.example")
    assert query_of(answer)["tenant"] == PERSONAL
    page = refuses(integration, acme, service, answer, 403, "proof-failed")
    assert "This is a personal Microsoft account." in page.text


def test_a_grant_without_the_permission_to_read_the_organisation_is_no_consent(
    integration: Integration, acme: Caller, service: RunningService, hostile: Switch
) -> None:
    hostile(consent_without=["Organization.Read.All"])
    answer = integration.prove()
    link = waits(integration, answer)
    service.clock.advance(timedelta(minutes=2))
    refused(integration.look(link), 409, "consent-missing")
    assert trail(acme)[0] == ("connection.refused", "consent-missing")
    assert integration.look(link).status_code == 200, "the link invites again"


# -- forged tokens ---------------------------------------------------------------------------------------------------

FORGED_CLAIMS = {
    "another issuer": {"iss": f"https://login.microsoftonline.com/{CONTOSO}/v2.0"},
    "the issuer of another tenant": {"iss": f"https://localhost/{FABRIKAM}/v2.0"},
    "another audience": {"aud": "00000003-0000-0000-c000-000000000000"},
    "expired": {"exp": 1_700_000_000},
    "not yet valid": {"nbf": 4_000_000_000},
    "issued in the future": {"iat": 4_000_000_000},
    "another nonce": {"nonce": "another-nonce"},
    "another tenant": {"tid": FABRIKAM},
    "no tenant id": {"tid": "contoso"},
    "roles that are no list": {"wids": "62e90394-69f5-4237-9190-012177145e10"},
    **{f"without {name}": {name: None} for name in ("iss", "aud", "exp", "nbf", "iat", "sub", "nonce", "tid", "oid")},
}


@pytest.mark.parametrize("claims", FORGED_CLAIMS.values(), ids=FORGED_CLAIMS.keys())
def test_an_id_token_with_a_wrong_claim_proves_nothing(
    integration: Integration,
    acme: Caller,
    service: RunningService,
    hostile: Switch,
    claims: dict[str, Any],
) -> None:
    hostile(id_token=claims)
    refuses(integration, acme, service, integration.prove(), 403, "proof-failed")


@pytest.mark.parametrize("signature", ["stranger", "unknown_kid", "none", "hs256", "tampered"])
def test_an_id_token_with_a_forged_signature_proves_nothing(
    integration: Integration, acme: Caller, service: RunningService, hostile: Switch, signature: str
) -> None:
    hostile(id_token_signature=signature)
    refuses(integration, acme, service, integration.prove(), 403, "proof-failed")


def test_an_organisation_that_is_another_tenants_proves_nothing(
    integration: Integration, acme: Caller, service: RunningService, hostile: Switch
) -> None:
    hostile(graph_tenant=FABRIKAM)
    refuses(integration, acme, service, integration.prove(), 403, "proof-failed")


# -- Microsoft out of order ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("outage", [{"token_status": 503}, {"graph_status": 503}, {"graph_status": 429}], ids=repr)
def test_an_outage_at_microsoft_is_waited_for_however_long_it_lasts(
    integration: Integration,
    acme: Caller,
    service: RunningService,
    hostile: Switch,
    outage: dict[str, int],
) -> None:
    hostile(**outage)
    link = waits(integration, integration.prove())
    service.clock.advance(timedelta(minutes=5))
    if "graph_status" in outage:  # else the person has to sign in again
        again = integration.look(link)
        assert (again.status_code, again.headers["retry-after"]) == (202, "30")
    assert standing(service) == [row for row in standing(service) if row["RowKey"] != "head:domains"]
    hostile()
    service.clock.advance(timedelta(seconds=30))
    assert integration.browser.open(link).title == "Connected"
    assert status(acme) == "connected"


def test_an_outage_before_the_sign_in_is_waited_for(
    integration: Integration, acme: Caller, service: RunningService, hostile: Switch
) -> None:
    hostile(discovery_status=503)
    answer = edited(integration.consent(), tenant=NOBODYS_TENANT)  # whose discovery document nobody has read yet
    link = waits(integration, answer)
    hostile()
    service.clock.advance(timedelta(seconds=5))
    refused(integration.look(link), 409, "consent-missing")


# -- again, and at once ----------------------------------------------------------------------------------------------


def test_a_connected_account_stays_connected_while_its_consent_is_renewed(
    integration: Integration, acme: Caller, connect: Walk, service: RunningService, resolve: Resolve
) -> None:
    connect(acme)
    acme("PATCH", "/v1/accounts/acme/policy", json={"mode": "on"}, headers={"If-Match": "*"}).raise_for_status()
    before = acme("GET", "/v1/accounts/acme/connection").json()
    answer = integration.prove()
    renewing = acme("GET", "/v1/accounts/acme/connection").json()
    assert renewing["pendingUntil"] is not None
    assert renewing | {"pendingUntil": None} == before
    assert resolve.method(ALICE) == "sso"
    assert integration.come_back(answer).status_code == 200
    renewed = acme("GET", "/v1/accounts/acme/connection").json()
    assert (renewed["status"], renewed["tenantId"], renewed["pendingUntil"]) == ("connected", CONTOSO, None)
    assert renewed["connectedAt"] > before["connectedAt"]
    assert resolve.method(ALICE) == "sso"


def test_a_connected_account_does_not_slip_into_another_tenant(
    integration: Integration, acme: Caller, connect: Walk, service: RunningService
) -> None:
    connect(acme)
    before, rows = acme("GET", "/v1/accounts/acme/connection").json(), but_the_connection(service)
    with Browser() as other:
        elsewhere = Integration(acme, other)
        page = elsewhere.come_back(elsewhere.prove("nora@northwind.example"))
    refused(page, 409, "conflict")
    assert "This account is connected to Contoso." in page.text
    now = acme("GET", "/v1/accounts/acme/connection").json()
    assert now | {"pendingUntil": None} == before
    assert but_the_connection(service) == rows
    assert trail(acme)[0] == ("connection.refused", "conflict")


def test_a_disconnected_account_may_connect_to_another_tenant(
    acme: Caller, connect: Walk, service: RunningService
) -> None:
    connect(acme)
    acme("DELETE", "/v1/accounts/acme/connection", headers={"If-Match": "*"}).raise_for_status()
    with Browser() as other:
        elsewhere = Integration(acme, other)
        assert elsewhere.come_back(elsewhere.prove("nora@northwind.example")).status_code == 200
    assert acme("GET", "/v1/accounts/acme/connection").json()["tenantName"] == "Northwind"
    assert [row["PartitionKey"] for row in service.rows("domains")] == ["northwind.example"]


def test_of_two_browsers_that_finish_at_once_only_the_newer_integration_counts(
    acme: Caller, browser: Browser, stranger: Browser, service: RunningService
) -> None:
    walks = [Integration(acme, browser), Integration(acme, stranger)]
    answers = [walk.prove() for walk in walks]
    together = Barrier(len(walks))

    def finish(walk: Integration, answer: str) -> int:
        together.wait()
        return walk.come_back(answer).status_code

    with ThreadPoolExecutor(len(walks)) as pool:
        assert list(pool.map(finish, walks, answers)) == [409, 200]
    assert status(acme) == "connected"
    states = acme("GET", "/v1/accounts/acme/domains").json()["items"]
    assert [item["state"] for item in states] == ["routed", "routed", "not_routable"]
    holders = {row["PartitionKey"] for row in service.rows("domains")}
    assert holders == {"contoso.example", "contoso-mail.example"}


def test_two_tabs_of_one_browser_both_finish(
    integration: Integration, operator: Caller, manager: Callable[[str], Caller], service: RunningService
) -> None:
    operator("PUT", "/v1/accounts/beta", json={"name": "Beta"}).raise_for_status()
    other = Integration(manager("beta"), integration.browser, "beta")
    tabs = [integration, other]
    opened = [tab.open(tab.start()) for tab in tabs]
    assert len({answer.headers["set-cookie"] for answer in opened}) == 2
    page = integration.browser.open(opened[0].headers["location"])
    fill_in(integration.browser, page, ADA)
    pages = [tab.browser.open(answer.headers["location"]) for tab, answer in zip(tabs, opened, strict=True)]
    consents = [press(tab.browser, page, "accept") for tab, page in zip(tabs, pages, strict=True)]
    proofs = [tab.sign_in(consent) for tab, consent in zip(tabs, consents, strict=True)]
    assert [tab.come_back(proof).status_code for tab, proof in zip(tabs, proofs, strict=True)] == [200, 200]
    assert [status(tab.caller, tab.account_id) for tab in tabs] == ["connected", "connected"]


def test_two_tabs_that_start_at_the_same_instant_both_finish(
    integration: Integration, operator: Caller, manager: Callable[[str], Caller], stranger: Browser
) -> None:
    operator("PUT", "/v1/accounts/beta", json={"name": "Beta"}).raise_for_status()
    other = Integration(manager("beta"), stranger, "beta")
    opened = [tab.open(tab.start()) for tab in (integration, other)]  # neither brings a cookie of the other's
    browser = integration.browser
    for line in opened[1].headers.get_list("set-cookie"):
        browser._keep("localhost", line)
    fill_in(browser, browser.open(opened[0].headers["location"]), ADA)
    for answer in opened:
        consent = press(browser, browser.open(answer.headers["location"]), "accept")
        assert integration.come_back(integration.sign_in(consent)).status_code == 200


@pytest.mark.parametrize(
    "cookie", ["", "short", "a" * 42, "a" * 44, "a" * 42 + "%", '"' + "a" * 43 + '"'], ids=lambda value: value or "-"
)
def test_a_cookie_that_is_none_of_ours_opens_nothing(
    integration: Integration, client: httpx.Client, cookie: str
) -> None:
    answer = integration.consent()
    ((flow, right),) = states_in(integration.browser).items()
    name = f"__Host-azure-sso-connect-{flow}"
    sent = {"Cookie": f"other=1; {name}={cookie}; __Host-azure-sso-connect={right}; azure-sso={right}"}
    refused(client.get(answer, headers=sent), 400, "flow-spent")
    assert integration.come_back(answer).status_code == 303


def test_an_account_that_is_gone_meanwhile_gets_no_connection(
    integration: Integration, operator: Caller, service: RunningService
) -> None:
    answer = integration.prove()
    operator("DELETE", "/v1/accounts/acme", headers={"If-Match": "*"}).raise_for_status()
    refused(integration.come_back(answer), 404, "not-found")
    assert standing(service) == []
    assert service.rows("accounts") == []


# -- return addresses ------------------------------------------------------------------------------------------------

NASTY_RETURN_URLS = {
    "another host": "https://evil.example/sso/",
    "a host below": "https://panel.example.evil/sso/",
    "a host above": "https://evilpanel.example/sso/",
    "user info": "https://panel.example@evil.example/sso/",
    "user info with password": "https://panel.example:443@evil.example/sso/",
    "user info at the right host": "https://evil@panel.example/sso/",
    "another port": "https://panel.example:8443/sso/",
    "the same port spelled out": "https://panel.example:443/sso/",
    "another scheme": "http://panel.example/sso/",
    "script": "javascript:alert(1)//https://panel.example/sso/",
    "data": "data:text/html,https://panel.example/sso/",
    "no scheme": "//panel.example/sso/",
    "no scheme, another host": "//evil.example/sso/",
    "a path only": "/sso/",
    "three slashes": "https:///panel.example/sso/",
    "one slash": "https:/panel.example/sso/",
    "no slash": "https:panel.example/sso/",
    "backslashes": "https:\\\\panel.example\\sso\\",
    "a backslash before the host's end": "https://evil.example\\@panel.example/sso/",
    "a step up": "https://panel.example/sso/../evil",
    "an encoded step up": "https://panel.example/sso/%2e%2e/evil",
    "a half encoded step up": "https://panel.example/sso/.%2E/evil",
    "a step up encoded twice": "https://panel.example/sso/%252e%252e/evil",
    "a step up by an encoded slash": "https://panel.example/sso/..%2fevil",
    "a step up by an encoded backslash": "https://panel.example/sso/..%5cevil",
    "a step up with a parameter": "https://panel.example/sso/..;/evil",
    "a step up with an encoded parameter": "https://panel.example/sso/..%3bx/evil",
    "a step nowhere": "https://panel.example/sso/./evil",
    "a longer name": "https://panel.example/ssoX",
    "a shorter name": "https://panel.example/ss",
    "the top": "https://panel.example/",
    "upper case in the path": "https://panel.example/SSO/",
    "upper case in the host": "https://PANEL.example/sso/",
    "a dot behind the host": "https://panel.example./sso/",
    "a line break": "https://panel.example/sso/\r\nSet-Cookie: a=b",
    "a tab in the host": "https://panel\t.example/sso/",
    "a NUL": "https://panel.example/sso/\x00",
    "a blank before": " https://panel.example/sso/",
    "a wide slash": "https://panel.example/sso/..\uff0fevil",
    "an unicode host": "https://p\u0430nel.example/sso/",
    "a broken address": "https://[panel.example/sso/",
    "a broken port": "https://panel.example:port/sso/",
    "nothing": "",
    "very long": PANEL + "a" * 2_000,
}


def test_a_return_address_elsewhere_starts_nothing(acme: Caller, subtests: pytest.Subtests) -> None:
    for name, return_url in NASTY_RETURN_URLS.items():
        with subtests.test(name):
            answer = acme("POST", "/v1/accounts/acme/connection", json={"returnUrl": return_url})
            assert answer.status_code == 422, answer.text
            assert [fault["field"] for fault in answer.json()["errors"]] == ["returnUrl"]
    assert (status(acme), trail(acme)) == ("disconnected", [("account.registered", None)])


@pytest.mark.parametrize("below", ["", "a", "a/b?c=d#e", "a..b/...", "a?next=../..", "%7Euser;v=1"])
def test_a_return_address_below_an_allowed_one_is_taken(integration: Integration, below: str) -> None:
    assert integration.start(returnUrl=PANEL + below)


# -- upkeep ----------------------------------------------------------------------------------------------------------


def test_the_purge_takes_what_has_expired_and_nothing_else(
    integration: Integration, client: httpx.Client, service: RunningService
) -> None:
    def purge() -> None:
        answer = client.post("/admin/functions/purge_flows", json={}, headers={"x-functions-key": MASTER_KEY})
        assert answer.status_code == 202

    integration.start()
    integration.open(integration.start())
    purge()
    assert len(service.rows("flows")) == 3
    service.clock.advance(timedelta(minutes=9))
    start_url = integration.start()
    service.clock.advance(timedelta(minutes=4))
    purge()
    assert len(service.rows("flows")) == 1
    assert integration.open(start_url).status_code == 303
