"""Graph: the organization, the person and the users, each behind its permission."""

from typing import Any

import httpx
import jwt
import pytest

from local.entra.hostile import Hostile, LateConsent
from local.entra.server import LocalEntra
from tests.local_entra.browser import Answer, Browser
from tests.local_entra.conftest import CONTOSO, NORTHWIND, Client

pytestmark = pytest.mark.usefixtures("consented")

ALICE = "c0c00000-0000-4000-8000-00000000a11c"


def app_token(client: Client, tenant: str = CONTOSO) -> str:
    token: str = client.msal(tenant).acquire_token_for_client([client.scope])["access_token"]
    return token


def person_token(browser: Browser, client: Client, email: str) -> dict[str, Any]:
    application, flow = client.start(CONTOSO)
    answer = browser.sign_in(browser.open(flow["auth_uri"]), email)
    assert isinstance(answer, Answer)
    result: dict[str, Any] = application.acquire_token_by_auth_code_flow(flow, dict(answer.parameters))
    return result


def test_the_organization_names_its_verified_domains(client: Client) -> None:
    (organization,) = client.graph("/organization", app_token(client)).json()["value"]

    assert (organization["id"], organization["displayName"]) == (CONTOSO, "Contoso")
    assert [
        (domain["name"], domain["isDefault"], domain["isInitial"]) for domain in organization["verifiedDomains"]
    ] == [
        ("contoso.example", True, False),
        ("contoso-mail.example", False, False),
        ("contoso.onmicrosoft.com", False, True),
    ]


def test_select_leaves_the_rest_out(client: Client) -> None:
    (organization,) = client.graph("/organization?$select=id,displayName", app_token(client)).json()["value"]

    assert organization == {"id": CONTOSO, "displayName": "Contoso"}


def test_a_person_reads_the_organization_and_oneself(browser: Browser, client: Client) -> None:
    token = person_token(browser, client, "c.jones@contoso.example")["access_token"]

    assert client.graph("/organization", token).json()["value"][0]["id"] == CONTOSO
    assert client.graph("/me", token).json()["mail"] == "carol@contoso-mail.example"
    assert client.graph("/users/delta", token).status_code == 403


def test_the_application_is_nobody(client: Client) -> None:
    assert client.graph("/me", app_token(client)).status_code == 400


def test_no_token_no_answer(client: Client) -> None:
    refused = client.graph("/organization")

    assert refused.status_code == 401
    assert refused.headers["WWW-Authenticate"].startswith("Bearer ")
    assert refused.json()["error"]["code"] == "InvalidAuthenticationToken"


def test_an_id_token_is_no_access_token(browser: Browser, client: Client) -> None:
    id_token = person_token(browser, client, "ada@contoso.example")["id_token"]

    assert client.graph("/organization", id_token).status_code == 401


def test_an_unsigned_token_is_refused(client: Client) -> None:
    claims = jwt.decode(app_token(client), options={"verify_signature": False})

    assert client.graph("/organization", jwt.encode(claims, "x" * 32, algorithm="HS256")).status_code == 401


def test_an_old_token_is_refused(client: Client, control: httpx.Client) -> None:
    token = app_token(client)
    control.put("/hostile", json={"clock_offset": 4000}).raise_for_status()

    assert client.graph("/organization", token).status_code == 401


def test_a_token_signed_before_a_rollover_still_counts(client: Client, control: httpx.Client) -> None:
    before = app_token(client)
    announced = control.get("/state").json()["keys"][-1]

    assert control.post("/keys/rollover").json()["kid"] == announced
    after = app_token(client)

    assert jwt.get_unverified_header(after)["kid"] == announced != jwt.get_unverified_header(before)["kid"]
    assert [client.graph("/organization", token).status_code for token in (before, after)] == [200, 200]


def test_changed_domains_show(client: Client, control: httpx.Client) -> None:
    control.put(f"/tenants/{CONTOSO}/domains", json=["new.example", "contoso.example"]).raise_for_status()

    (organization,) = client.graph("/organization", app_token(client)).json()["value"]

    assert [domain["name"] for domain in organization["verifiedDomains"]] == [
        "new.example",
        "contoso.example",
        "contoso.onmicrosoft.com",
    ]


def test_hostile_another_tenant_in_the_organization(client: Client, control: httpx.Client) -> None:
    control.put("/hostile", json={"graph_tenant": NORTHWIND}).raise_for_status()

    assert client.graph("/organization", app_token(client)).json()["value"][0]["id"] == NORTHWIND


def test_hostile_graph_out_of_order(client: Client, control: httpx.Client) -> None:
    control.put("/hostile", json={"graph_status": 503}).raise_for_status()

    assert client.graph("/organization", app_token(client)).status_code == 503


@pytest.fixture
def reader_of_users(client: Client, control: httpx.Client) -> str:
    control.post(f"/consents/{CONTOSO}/grant", json={"application": ["User.Read.All"]}).raise_for_status()
    return app_token(client)


def test_users_need_a_permission_of_their_own(client: Client) -> None:
    refused = client.graph("/users/delta", app_token(client))

    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "Authorization_RequestDenied")


def test_delta_pages_through_all_users_then_tells_only_changes(
    client: Client, control: httpx.Client, reader_of_users: str
) -> None:
    names: list[str] = []
    link = "/users/delta?$top=3"
    while link:
        page = client.graph(link, reader_of_users).json()
        names += [user["displayName"] for user in page["value"]]
        link, last = page.get("@odata.nextLink", ""), page
    assert len(names) == len(set(names)) == 7

    control.put(f"/tenants/{CONTOSO}/users/{ALICE}", json={"display_name": "Alice Anew"}).raise_for_status()
    changes = client.graph(last["@odata.deltaLink"], reader_of_users).json()
    assert [user["displayName"] for user in changes["value"]] == ["Alice Anew"]

    control.delete(f"/tenants/{CONTOSO}/users/{ALICE}").raise_for_status()
    removals = client.graph(changes["@odata.deltaLink"], reader_of_users).json()
    assert removals["value"] == [{"id": ALICE, "@removed": {"reason": "changed"}}]
    assert client.graph(removals["@odata.deltaLink"], reader_of_users).json()["value"] == []


def test_a_delta_token_lives_seven_days(client: Client, control: httpx.Client, reader_of_users: str) -> None:
    link = client.graph("/users/delta", reader_of_users).json()["@odata.deltaLink"]
    control.put("/hostile", json={"clock_offset": 7 * 24 * 3600}).raise_for_status()

    assert client.graph(link, app_token(client)).status_code == 410
    assert client.graph("/users/delta?$deltatoken=nonsense", app_token(client)).status_code == 400


def test_a_consent_is_known_late_where_it_is_said_and_in_time_elsewhere(client: Client, entra: LocalEntra) -> None:
    entra.cloud.grant(CONTOSO, ["User.Read"], ["Organization.Read.All"])
    token = app_token(client)
    for status in (None, 429, 503):
        entra.cloud.hostile = Hostile(consent_late=LateConsent(seconds=20, status=status))
        assert client.graph("/organization", token).status_code == (status or 403)
    for number, error in ((700016, "unauthorized_client"), (65001, "consent_required")):
        entra.cloud.hostile = Hostile(consent_late=LateConsent(seconds=20, where="app_token", aadsts=number))
        answer = client.msal(CONTOSO).acquire_token_for_client([client.scope])
        assert (answer["error"], f"AADSTS{number}" in answer["error_description"]) == (error, True)
        assert client.graph("/organization", token).status_code == 200
    entra.cloud.hostile = Hostile(consent_late=LateConsent(seconds=0))
    assert client.graph("/organization", token).status_code == 200
