"""Setup links: an administrator without a vendor login connects an account days later, and nobody else does."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from local.cast.browser import Browser
from local.cast.panel import Caller
from local.cast.person import ADA, ALICE
from tests.http.conftest import Token
from tests.support.integration import Integration, press, query_of, status, trail
from tests.support.service import RunningService

ACME = "/v1/accounts/acme"
LINKS = f"{ACME}/connection/links"
WEEK = 7 * 24 * 60
NORA = "nora@northwind.example"
EVIL = "<script>alert(1)</script>"


@pytest.fixture
def integration(acme: Caller, browser: Browser) -> Integration:
    return Integration(acme, browser)


def made(caller: Caller, **body: Any) -> dict[str, Any]:
    return dict(caller.must("POST", f"{ACME}/connection", json={"lifetimeMinutes": WEEK} | body))


def listed(caller: Caller) -> dict[str, dict[str, Any]]:
    return {each["linkId"]: each for each in caller.must("GET", LINKS)["items"]}


def passed_on(caller: Caller, start_url: str, admin: str, signs_in: str) -> httpx.Response:
    """What somebody sees in their own browser: `admin` accepts at Microsoft, and `signs_in` proves who they are."""
    with Browser() as theirs:
        walk = Integration(caller, theirs)
        consent = press(theirs, walk.consent_page_of(start_url, admin), "accept")
        return walk.come_back(walk.sign_in(consent, signs_in))


def states(caller: Caller) -> list[str]:
    return [each["state"] for each in listed(caller).values()]


def refused(answer: httpx.Response, code: int, words: str) -> None:
    assert (answer.status_code, words in answer.text) == (code, True), answer.text


def test_an_administrator_of_another_company_of_none_and_of_this_one_and_what_the_list_says(
    acme: Caller,
    operator: Caller,
    browser: Browser,
    service: RunningService,
    token: Token,
    client: httpx.Client,
) -> None:
    """The whole life of a link, passed on twice: the `domains` of the account rule out the wrong company."""
    operator.must(
        "PUT",
        ACME,
        json={"name": EVIL, "products": ["Unite"], "domains": ["contoso.example"]},
        headers={"If-Match": "*"},
    )
    service.clock.advance(timedelta(seconds=1))
    link, spare = made(acme, tenant=None), made(acme)
    assert listed(acme)[link["linkId"]] | {"createdAt": "", "expiresAt": link["expiresAt"]} == {
        "linkId": link["linkId"],
        "state": "waiting",
        "isOpen": True,
        "createdAt": "",
        "createdBy": {"subject": "panel-user-sam", "name": "Sam Security", "role": "SecurityManager"},
        "expiresAt": link["expiresAt"],
        "tenant": None,
        "openedAt": None,
        "pressedAt": None,
        "presses": 0,
        "signedInBy": None,
        "refusedAt": None,
        "refusal": None,
        "connectedAt": None,
        "revokedAt": None,
        "revokedBy": None,
    }
    assert [*listed(acme)] == [spare["linkId"], link["linkId"]], "the newest first"
    assert acme.must("GET", f"{ACME}/connection")["status"] == "pending"
    assert acme.must("GET", f"{ACME}/overview")["status"] == "pending"
    ticket = query_of(link["startUrl"])["ticket"]
    reader = Caller(client, token("rita", account_id="acme"))
    assert ticket not in reader("GET", LINKS).text, "the list holds no secret"

    service.clock.advance(timedelta(days=6))
    integration = Integration(acme, browser)
    page = integration.look(link["startUrl"]).text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page, "the page says for whom they consent"
    assert EVIL not in page
    integration.look(link["startUrl"])
    seen = listed(acme)[link["linkId"]]
    assert (seen["state"], seen["openedAt"] is None, seen["pressedAt"]) == ("opened", False, None)
    for admin, signs_in, name in ((NORA, NORA, "Nora North"), (ADA, ALICE, "Alice Archer")):
        refused(passed_on(acme, link["startUrl"], admin, signs_in), 403, "could not be verified")
        seen = listed(acme)[link["linkId"]]
        assert (seen["state"], seen["signedInBy"], seen["isOpen"]) == ("refused", name, True)
        assert (seen["refusal"]["reason"], status(acme)) == ("proof-failed", "pending")
    assert seen["presses"] == 2

    assert browser.walk(browser.open(link["startUrl"]), ADA).title == "Connected"
    links = listed(acme)
    assert [each["state"] for each in links.values()] == ["ended", "connected"]
    assert links[link["linkId"]]["signedInBy"] == "Ada Admin"
    assert not any(each["isOpen"] for each in links.values())
    assert trail(acme)[:3] == [("connection.connected", None), *[("connection.refused", "proof-failed")] * 2]
    told = acme.must("GET", f"{ACME}/audit")["items"]
    assert [each["details"].get("setupLink") for each in told[:5]] == [
        *[link["linkId"]] * 3,
        spare["linkId"],
        link["linkId"],
    ]
    made(acme)  # to renew the consent
    shown = acme.must("PATCH", f"{ACME}/connection", json={"keepPeople": False}, headers={"If-Match": "*"})
    assert shown == acme.must("GET", f"{ACME}/connection")
    assert (shown["status"], shown["pendingUntil"] is None) == ("connected", False)
    for url in (link["startUrl"], spare["startUrl"]):
        with Browser() as somebody:
            refused(Integration(acme, somebody).open(url), 409, "was connected meanwhile")


def test_a_link_that_was_revoked_stops_the_try_that_is_under_way_and_opens_no_more(
    acme: Caller, integration: Integration, token: Token, client: httpx.Client
) -> None:
    link, other = made(acme), made(acme)
    answer = integration.prove_by(link["startUrl"])
    reader = Caller(client, token("rita", account_id="acme"))
    stranger = Caller(client, token("sam", account_id="beta"))
    for caller in (reader, stranger):
        assert caller("DELETE", f"{LINKS}/{link['linkId']}").status_code == 403
        assert caller("POST", f"{ACME}/connection", json={"lifetimeMinutes": WEEK}).status_code == 403
    assert stranger("GET", LINKS).status_code == 403
    for _ in range(2):
        assert acme("DELETE", f"{LINKS}/{link['linkId']}").status_code == 204, "safe to repeat"
    refused(integration.come_back(answer), 409, "This link was revoked")
    refused(integration.look(link["startUrl"]), 409, "This link was revoked")
    refused(integration.open(link["startUrl"]), 409, "This link was revoked")
    seen = listed(acme)[link["linkId"]]
    assert (seen["state"], seen["revokedBy"]["name"], seen["isOpen"]) == ("revoked", "Sam Security", False)
    assert [action for action, _ in trail(acme)].count("connection.link_revoked") == 1
    assert (status(acme), acme("DELETE", f"{LINKS}/{'a' * 22}").status_code) == ("pending", 404)
    assert acme("DELETE", f"{LINKS}/short").status_code == 422

    assert acme("DELETE", f"{ACME}/connection", etag="*").status_code == 204, "a pending integration is cancelled"
    assert (status(acme), states(acme)) == ("disconnected", ["revoked", "revoked"])
    refused(integration.look(other["startUrl"]), 409, "This link was revoked")


def test_links_and_starts_stand_beside_one_another_until_they_expire(
    acme: Caller, integration: Integration, service: RunningService
) -> None:
    first, second = made(acme, lifetimeMinutes=10), made(acme)
    start = integration.start()
    for url in (first["startUrl"], second["startUrl"], start):
        assert integration.look(url).status_code == 200
    refused(integration.look(integration.start()[:-3] + "abc"), 400, "It is unknown")
    refused(integration.look(start), 409, "started again")
    service.clock.advance(timedelta(minutes=10))
    refused(integration.look(first["startUrl"]), 400, "has expired")
    assert states(acme) == ["opened", "expired"]
    service.clock.advance(timedelta(days=7))
    refused(integration.look(second["startUrl"]), 400, "has expired")
    refused(integration.open(second["startUrl"]), 400, "has expired")
    assert states(acme) == ["expired", "expired"]
    service.clock.advance(timedelta(minutes=20))
    assert (status(acme), acme.must("GET", f"{ACME}/connection")["pendingUntil"]) == ("disconnected", None)
    service.clock.advance(timedelta(days=30))
    assert states(acme) == []


def test_an_account_has_twenty_open_links_at_most_and_each_of_ten_minutes_to_fourteen_days(acme: Caller) -> None:
    for minutes in (9, 20_161, "10", 10.5):
        answer = acme("POST", f"{ACME}/connection", json={"lifetimeMinutes": minutes})
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "lifetimeMinutes")
    *_, last = [made(acme, lifetimeMinutes=20_160) for _ in range(20)]
    refused(acme("POST", f"{ACME}/connection", json={"lifetimeMinutes": 10}), 409, "Revoke one")
    assert acme("DELETE", f"{LINKS}/{last['linkId']}").status_code == 204
    newest = made(acme, tenant="contoso.example")
    assert listed(acme)[newest["linkId"]]["tenant"] == "contoso.example"
    assert (len(listed(acme)), last["linkId"] in listed(acme)) == (20, False)


def test_a_link_is_good_for_nothing_else(acme: Caller, integration: Integration, client: httpx.Client) -> None:
    link = made(acme)
    ticket, link_id = query_of(link["startUrl"])["ticket"], link["linkId"]
    for secret in (ticket, link_id):
        assert Caller(client, secret)("GET", LINKS).status_code == 401
        assert client.get("/v1/connect/callback", params={"state": secret, "admin_consent": "True"}).status_code == 400
        assert client.get("/signin/callback", params={"state": secret, "code": "x"}).status_code == 400
    refused(integration.look(link["startUrl"].replace(ticket, link_id)), 400, "It is unknown")
    refused(integration.browser.send("POST", link["startUrl"], {"ticket": ticket}), 403, "Please confirm once more")
    assert states(acme) == ["opened"]
