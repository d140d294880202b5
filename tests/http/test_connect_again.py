"""An integration that Microsoft knows late, that is met twice, by several people, or by a guest: it ends well."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from local import loopback
from local.cast.browser import Browser
from shared.flows.flows import name_of
from tests.http.conftest import CONTOSO, FABRIKAM, PERSONAL, Caller, Switch
from tests.support.integration import Integration, edited, fill_in, press, query_of, status, trail
from tests.support.service import PANEL, RunningService

ADA, GINA, NORA, PAULA = (
    "ada@contoso.example",
    "gina@fabrikam.example",
    "nora@northwind.example",
    "paula@fabrikam.example",
)
GINAS_OID = "c0c00000-0000-4000-8000-0000000091a0"
TRY = "__Host-azure-sso-try-"
CONNECT = "__Host-azure-sso-connect-"


@pytest.fixture
def integration(acme: Caller, browser: Browser) -> Integration:
    return Integration(acme, browser)


@pytest.fixture
def elsewhere(acme: Caller) -> Iterator[Integration]:
    """The same account's integration, in somebody else's browser."""
    with Browser() as opened:
        yield Integration(acme, opened)


def says(answer: httpx.Response, code: int, words: str, way: str | None = None) -> None:
    """The answer is a page with these words and, if it is a dead end, with a way on."""
    assert (answer.status_code, words in answer.text) == (code, True), answer.text
    assert way is None or f'href="{way}"' in answer.text, answer.text


def waiting(answer: httpx.Response) -> bool:
    return answer.status_code == 202 and "Microsoft is not ready yet" in answer.text


# -- Microsoft is late -------------------------------------------------------------------------------------------------

LATE = {
    "Graph 403": {"where": "graph", "status": 403},
    "Graph 429": {"where": "graph", "status": 429},
    "Graph 503": {"where": "graph", "status": 503},
    "no application for the app": {"where": "app_token", "aadsts": 700016},
    "no consent for the app": {"where": "app_token", "aadsts": 65001},
    "too many requests for the app": {"where": "app_token", "status": 429},
    "no application for the code": {"where": "code", "aadsts": 700016},
    "no consent for the code": {"where": "code", "aadsts": 65001},
    "out of order for the code": {"where": "code", "status": 503},
    "no consent for the sign-in": {"where": "authorize", "aadsts": 65001},
}


@pytest.mark.parametrize("how", LATE.values(), ids=LATE)
def test_a_consent_that_microsoft_knows_late_is_waited_for_and_nothing_is_lost_by_closing_the_page(
    integration: Integration,
    elsewhere: Integration,
    service: RunningService,
    hostile: Switch,
    how: dict[str, Any],
) -> None:
    hostile(consent_late={"seconds": 20, **how})
    start_url = integration.start()
    departure = integration.come_back(integration.prove_by(start_url))
    assert (departure.status_code, departure.headers["location"]) == (303, start_url)
    assert waiting(integration.look(start_url))
    assert "?" not in str(integration.look(start_url).url).replace(start_url, ""), "no code is left in the address"
    assert trail(integration.caller)[0] == ("connection.started", None), "nobody has said no"
    says(elsewhere.look(start_url), 200, "Connect Acme to Microsoft")
    service.clock.advance(timedelta(seconds=21))
    assert integration.browser.open(start_url).title == "Connected"
    assert status(integration.caller) == "connected"
    assert [action for action, _ in trail(integration.caller)[:2]] == ["connection.connected", "connection.started"]


@pytest.mark.parametrize("error", ["temporarily_unavailable", "server_error"])
def test_a_microsoft_that_cannot_answer_the_consent_has_not_said_no(
    integration: Integration, service: RunningService, error: str
) -> None:
    start_url = integration.start()
    consent = press(integration.browser, integration.consent_page_of(start_url), "accept")
    departure = integration.come_back(edited(consent, error=error, error_description="AADSTS90033"))
    assert (departure.status_code, departure.headers["location"]) == (303, start_url)
    assert waiting(integration.look(start_url))
    assert trail(integration.caller)[0] == ("connection.started", None)
    service.clock.advance(timedelta(seconds=31))
    says(integration.look(start_url), 200, "Connect Acme to Microsoft")
    assert integration.come_back(integration.prove_by(start_url)).status_code == 200
    assert status(integration.caller) == "connected"


def test_a_page_that_waits_belongs_to_its_browser_and_its_link(
    integration: Integration, elsewhere: Integration, hostile: Switch
) -> None:
    hostile(graph_status=503)
    start_url = integration.start()
    (invitation,) = integration.browser.open(start_url).forms
    answer = integration.prove_by(start_url)
    integration.come_back(answer)
    assert waiting(integration.look(start_url))
    pressed = integration.browser.send("POST", invitation.action, {**invitation.fields, "action": "continue"})
    assert (pressed.status_code, pressed.headers["location"]) == (303, start_url), "whoever goes back goes on"
    ticket = query_of(start_url)["ticket"]
    handle = integration.browser._cookies["localhost", "/", TRY + name_of(ticket)]
    says(elsewhere.come_back(answer), 400, "It was started in another browser.", PANEL)
    for secret in ("", f"; {CONNECT}{name_of(handle)}={'x' * 43}"):
        stolen = {"Cookie": f"{TRY}{name_of(ticket)}={handle}{secret}"}
        says(loopback.get(start_url, headers=stolen), 200, "Connect Acme to Microsoft")
    secret = integration.browser._cookies["localhost", "/", CONNECT + name_of(handle)]
    newest = integration.start()
    planted = f"{TRY}{name_of(query_of(newest)['ticket'])}={handle}; {CONNECT}{name_of(handle)}={secret}"
    says(loopback.get(newest, headers={"Cookie": planted}), 200, "Connect Acme to Microsoft")
    says(integration.look(start_url), 409, "started again", PANEL)


# -- twice, back, reload -----------------------------------------------------------------------------------------------


def at_once(browser: Browser, answer: str, times: int = 4) -> list[httpx.Response]:
    """Answers of the service to an address that one browser fetches several times at once."""
    together = Barrier(times)
    held = "; ".join(f"{name}={value}" for (_, _, name), value in browser._cookies.items() if name.startswith("__Host"))

    def fetch(_: int) -> httpx.Response:
        together.wait()
        return loopback.get(answer, headers={"Cookie": held}, timeout=30)

    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(fetch, range(times)))


def test_answers_that_come_twice_at_once_end_on_one_connection(
    integration: Integration, elsewhere: Integration
) -> None:
    start_url = integration.start()
    consent = press(integration.browser, integration.consent_page_of(start_url), "accept")
    departures = [query_of(each.headers["location"]) for each in at_once(integration.browser, consent)]
    assert len({each["state"] for each in departures}) == len({each["nonce"] for each in departures}) == 4
    answer = integration.sign_in(consent)
    found = at_once(integration.browser, answer)
    assert {each.status_code for each in found} <= {200, 303}, [each.text for each in found]
    assert all(each.headers["location"] == start_url for each in found if each.status_code == 303)
    for again in (answer, consent, start_url):
        says(integration.look(again), 200, "<h1>Acme is connected. Thank you.</h1>")
    page = integration.browser.send("POST", start_url.partition("?")[0], {"ticket": query_of(start_url)["ticket"]})
    says(page, 409, "This integration is finished", PANEL)
    says(elsewhere.look(start_url), 409, "This integration is finished", PANEL)
    assert trail(integration.caller)[:2] == [("connection.connected", None), ("connection.started", None)]


def test_who_returns_to_the_control_panel_returns_there_again(integration: Integration) -> None:
    answer = integration.prove(returnUrl=f"{PANEL}security")
    for _ in range(2):
        assert integration.come_back(answer).headers["location"] == f"{PANEL}security?connection=connected"


def test_each_press_is_a_try_of_its_own_and_any_of_them_connects(integration: Integration) -> None:
    start_url = integration.start()
    pressed = [integration.open(start_url).headers["location"] for _ in range(3)]
    assert len({query_of(each)["state"] for each in pressed}) == 3
    page = fill_in(integration.browser, integration.browser.open(pressed[0]), ADA)
    proof = integration.sign_in(press(integration.browser, page, "accept"))
    assert integration.come_back(proof).status_code == 200
    late = integration.browser.open(pressed[2])
    says(
        integration.come_back(press(integration.browser, late, "accept")), 200, "<h1>Acme is connected. Thank you.</h1>"
    )
    assert trail(integration.caller)[:2] == [("connection.connected", None), ("connection.started", None)]
    assert status(integration.caller) == "connected"


def test_a_scanner_that_presses_the_button_and_a_person_who_declines_stop_nobody_else(
    integration: Integration, elsewhere: Integration
) -> None:
    start_url = integration.start()
    for _ in range(3):
        assert elsewhere.open(start_url).status_code == 303
    declined = press(elsewhere.browser, elsewhere.consent_page_of(start_url), "cancel")
    says(elsewhere.come_back(declined), 403, "The consent page was declined.", start_url)
    assert status(integration.caller) == "pending"
    proof = integration.prove_by(start_url)
    says(elsewhere.look(start_url), 200, "Connect Acme to Microsoft")
    assert integration.come_back(proof).status_code == 200
    assert trail(integration.caller)[:2] == [("connection.connected", None), ("connection.refused", "consent-refused")]


def test_who_was_refused_may_press_again(integration: Integration) -> None:
    start_url = integration.start()
    integration.come_back(press(integration.browser, integration.consent_page_of(start_url), "cancel"))
    says(integration.look(start_url), 200, "Connect Acme to Microsoft")
    assert integration.come_back(integration.prove_by(start_url)).status_code == 200


def test_nobody_finishes_the_try_of_an_attacker(integration: Integration, elsewhere: Integration) -> None:
    """The attacker has the link, presses in a browser of their own, and lets the victim go on from each step."""
    start_url = integration.start()
    victim = integration.browser
    at_microsoft = elsewhere.open(start_url).headers["location"]
    consent = press(victim, fill_in(victim, victim.open(at_microsoft), ADA), "accept")
    says(integration.come_back(consent), 400, "It was started in another browser.", PANEL)
    proof_of_attacker = elsewhere.come_back(consent).headers["location"]
    page = victim.open(proof_of_attacker)
    answer = press(victim, page, "continue") if "continue" in page.buttons else ""
    says(integration.come_back(answer), 400, "It was started in another browser.", PANEL)
    assert status(integration.caller) == "pending"
    own = integration.prove_by(start_url)  # whose code, even if it were stolen, is bound to another verifier
    says(elsewhere.come_back(edited(own, state=query_of(proof_of_attacker)["state"])), 409, "Microsoft", start_url)
    assert integration.come_back(own).status_code == 200


def test_of_two_tenants_that_finish_by_one_link_at_once_exactly_one_is_connected(
    integration: Integration, elsewhere: Integration, service: RunningService
) -> None:
    start_url = integration.start()
    walks = {ADA: integration, NORA: elsewhere}
    proofs = {who: walk.prove_by(start_url, who) for who, walk in walks.items()}
    together = Barrier(2)

    def finish(who: str) -> int:
        together.wait()
        return walks[who].come_back(proofs[who]).status_code

    with ThreadPoolExecutor(2) as pool:
        codes = dict(zip(walks, pool.map(finish, walks), strict=True))
    assert sorted(codes.values()) == [200, 409]
    won = next(who for who, code in codes.items() if code == 200)
    connection = integration.caller("GET", "/v1/accounts/acme/connection").json()
    assert connection["tenantName"] == {ADA: "Contoso", NORA: "Northwind"}[won]
    holders = {row["PartitionKey"] for row in service.rows("domains")}
    assert holders == ({"contoso.example", "contoso-mail.example"} if won == ADA else {"northwind.example"})


def test_two_administrators_of_one_tenant_both_see_it_connected(
    integration: Integration, elsewhere: Integration
) -> None:
    start_url = integration.start()
    proofs = [walk.prove_by(start_url) for walk in (integration, elsewhere)]
    for walk, proof in zip((integration, elsewhere), proofs, strict=True):
        says(walk.come_back(proof), 200, "<h1>Acme is connected. Thank you.</h1>")
    assert [action for action, _ in trail(integration.caller)].count("connection.connected") == 1


# -- an administrator who is a guest -----------------------------------------------------------------------------------


@pytest.fixture
def gina(control: httpx.Client) -> None:
    """A guest in Contoso from Fabrikam, who administers Contoso."""
    path = f"/tenants/{CONTOSO}/users/{GINAS_OID}"
    control.put(path, json={"roles": ["Global Administrator"]}).raise_for_status()


@pytest.mark.usefixtures("gina")
@pytest.mark.parametrize("tenant", ["contoso.example", " Contoso-Mail.EXAMPLE\u200b", CONTOSO.upper()])
def test_a_guest_who_administers_the_named_tenant_connects_it_and_not_their_own(
    integration: Integration, tenant: str
) -> None:
    start_url = integration.start(tenant=tenant)
    named = tenant.strip(" \u200b").lower()
    says(integration.look(start_url), 200, f"<strong>{named}</strong>")
    opened = integration.open(start_url).headers["location"]
    assert urlsplit(opened).path == f"/{CONTOSO}/v2.0/adminconsent"
    assert integration.come_back(integration.prove_by(start_url, GINA)).status_code == 200
    assert integration.caller("GET", "/v1/accounts/acme/connection").json()["tenantId"] == CONTOSO


def test_another_tenant_than_the_named_one_is_refused(integration: Integration, service: RunningService) -> None:
    consent = press(integration.browser, integration.consent_page(ADA, tenant="contoso.example"), "accept")
    forged = integration.come_back(edited(consent, tenant=FABRIKAM))
    says(forged, 403, "You consented for another organisation than the one that the link names.")
    assert (status(integration.caller), service.rows("domains")) == ("pending", [])


@pytest.mark.parametrize(
    "tenant",
    ["nobody.example", "contoso", "", "a b.example", "00000000-0000-4000-8000-000000000001", PERSONAL, "../x.y"],
)
def test_a_tenant_that_microsoft_does_not_know_starts_nothing(acme: Caller, tenant: str) -> None:
    answer = acme("POST", "/v1/accounts/acme/connection", json={"tenant": tenant})
    assert answer.status_code == 422, answer.text
    assert [fault["field"] for fault in answer.json()["errors"]] == ["tenant"]
    assert (status(acme), trail(acme)) == ("disconnected", [("account.registered", None)])


def test_a_tenant_cannot_be_named_while_microsoft_does_not_answer(acme: Caller, hostile: Switch) -> None:
    hostile(discovery_status=503)
    answer = acme("POST", "/v1/accounts/acme/connection", json={"tenant": "contoso.example"})
    assert (answer.status_code, status(acme)) == (503, "disconnected")
    assert acme("POST", "/v1/accounts/acme/connection", json={}).status_code == 201


@pytest.mark.parametrize("listed", [["contoso.example"], ["other.example", "contoso-mail.example"], [], None])
def test_a_tenant_without_any_of_the_accounts_domains_is_refused_before_anything_is_written(
    integration: Integration,
    elsewhere: Integration,
    operator: Callable[..., httpx.Response],
    service: RunningService,
    listed: list[str] | None,
) -> None:
    entry = {"name": "Acme", **({} if listed is None else {"domains": listed})}
    operator("PUT", "/v1/accounts/acme", json=entry, headers={"If-Match": "*"}).raise_for_status()
    start_url = integration.start()
    other = elsewhere.come_back(elsewhere.prove_by(start_url, PAULA))
    if not listed:
        assert other.status_code == 200
        return
    says(other, 403, "Fabrikam has verified none of the domains that the vendor lists for this account.", start_url)
    assert (status(integration.caller), service.rows("domains")) == ("pending", [])
    assert integration.come_back(integration.prove_by(start_url)).status_code == 200


# -- dead ends ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", ["/v1/connect", "/v1/connect?ticket=unknown", "/v1/connect/callback?state=unknown"])
def test_a_dead_end_leads_to_the_control_panel(service: RunningService, browser: Browser, address: str) -> None:
    says(browser.send("GET", service.url + address, {}), 400, "Back to the control panel", PANEL)


def test_a_try_that_is_kept_alive_ends_with_its_integration(integration: Integration, service: RunningService) -> None:
    """Whoever has the link forges answers that say "not yet", and gets a state of its own for each new sign-in.

    The control panel says that nothing is pending any more, so nothing may connect the account.
    """
    start_url = integration.start()
    answer = integration.prove_by(start_url)
    for _ in range(4):
        integration.come_back(edited(answer, code=None, error="temporarily_unavailable"))
        assert waiting(integration.look(start_url))
        service.clock.advance(timedelta(minutes=9))
        departure = integration.look(start_url)
        if departure.status_code != 303:
            break
        answer = str(integration.browser.send("GET", departure.headers["location"], {}).headers["location"])
    assert status(integration.caller) == "disconnected"
    integration.come_back(answer)
    assert status(integration.caller) == "disconnected"
    assert trail(integration.caller)[0] != ("connection.connected", None)
