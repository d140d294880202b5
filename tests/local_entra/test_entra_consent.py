"""Admin consent: who may accept, what the application is told, and what a forger can make of it."""

import httpx
import pytest

from local.cast.browser import Page
from tests.local_entra.browser import Answer, Browser
from tests.local_entra.conftest import ATTACKER, CALLBACK, CONTOSO, FABRIKAM, PERSONAL, Client, text


def answered(answer: object) -> Answer:
    assert isinstance(answer, Answer), f"no answer but {answer}"
    return answer


def accept(browser: Browser, client: Client, email: str, tenant: str = "organizations") -> Answer:
    page = browser.sign_in(browser.open(client.consent_url(tenant), client.consent_query()), email)
    return answered(browser.press(page, "accept"))


def test_an_administrator_accepts_for_the_organization(browser: Browser, client: Client) -> None:
    answer = accept(browser, client, "ada@contoso.example")

    assert answer.redirect_uri == CALLBACK
    assert answer.parameters == {
        "admin_consent": "True",
        "tenant": CONTOSO,
        "scope": client.scope,
        "state": "the-state",
    }
    assert "access_token" in client.msal(CONTOSO).acquire_token_for_client([client.scope])


def test_the_page_lists_what_is_asked(browser: Browser, client: Client) -> None:
    page = browser.sign_in(browser.open(client.consent_url(), client.consent_query()), "ada@contoso.example")

    assert isinstance(page, Page)
    assert page.buttons == ["accept", "cancel"]
    for expected in ("Azure SSO", "Contoso", "Organization.Read.All", "User.Read"):
        assert expected in page.html


def test_cancelling_says_admin_consent_true_beside_the_error(browser: Browser, client: Client) -> None:
    page = browser.sign_in(browser.open(client.consent_url(), client.consent_query()), "ada@contoso.example")
    answer = answered(browser.press(page, "cancel"))

    assert answer.parameters["error"] == "access_denied"
    assert answer.parameters["admin_consent"] == "True"
    assert answer.parameters["state"] == "the-state"
    assert answer.parameters["error_description"].startswith("AADSTS65004: ")
    assert "tenant" not in answer.parameters


@pytest.mark.parametrize(
    "email", ["alice@contoso.example", "fiona@fabrikam.example", "felix@fabrikam.example", "clara@fabrikam.example"]
)
def test_no_role_no_consent(browser: Browser, client: Client, email: str) -> None:
    # Felix and Clara, who administer applications, may not grant application permissions of Graph.
    page = browser.sign_in(browser.open(client.consent_url(), client.consent_query()), email)
    assert "AADSTS90094" in text(page)

    answer = answered(browser.press(page, "return"))

    assert answer.parameters["error"] == "access_denied"
    assert answer.parameters["admin_consent"] == "True"


def test_accept_without_a_role_is_refused_even_when_posted_by_hand(browser: Browser, client: Client) -> None:
    page = browser.sign_in(browser.open(client.consent_url(), client.consent_query()), "fiona@fabrikam.example")
    assert isinstance(page, Page)
    page.forms[0].buttons.append(("action", "accept"))

    assert "AADSTS90094" in text(browser.press(page, "accept"))
    assert "error" in client.msal(FABRIKAM).acquire_token_for_client([client.scope])


def test_an_application_administrator_may_grant_delegated_permissions(browser: Browser, client: Client) -> None:
    query = client.consent_query(scope=f"openid profile {client.entra.https}/User.Read")
    page = browser.sign_in(browser.open(client.consent_url(), query), "felix@fabrikam.example")

    assert answered(browser.press(page, "accept")).parameters["tenant"] == FABRIKAM


def test_a_privileged_role_administrator_accepts(browser: Browser, client: Client) -> None:
    assert accept(browser, client, "paula@fabrikam.example").parameters["tenant"] == FABRIKAM


def test_another_account_may_be_used_instead(browser: Browser, client: Client) -> None:
    refused = browser.sign_in(browser.open(client.consent_url(), client.consent_query()), "alice@contoso.example")
    page = browser.sign_in(browser.press(refused, "other"), "ada@contoso.example")

    assert answered(browser.press(page, "accept")).parameters["tenant"] == CONTOSO


def test_a_personal_account_is_refused(browser: Browser, client: Client) -> None:
    page = browser.sign_in(browser.open(client.consent_url(), client.consent_query()), "pat@outlook.example")

    assert "AADSTS50020" in text(page)


def test_an_administrator_of_another_tenant_is_refused(browser: Browser, client: Client) -> None:
    opened = browser.open(client.consent_url(CONTOSO), client.consent_query())

    assert "AADSTS50020" in text(browser.sign_in(opened, "paula@fabrikam.example"))


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"redirect_uri": f"{CALLBACK}/"}, "AADSTS50011"),
        ({"redirect_uri": "https://attacker.example/"}, "AADSTS50011"),
        ({"client_id": "11111111-1111-4111-8111-111111111111"}, "AADSTS700016"),
        ({"redirect_uri": None}, "AADSTS900144"),
    ],
)
def test_nobody_is_sent_to_an_unknown_address(
    browser: Browser, client: Client, changes: dict[str, str | None], code: str
) -> None:
    assert code in text(browser.open(client.consent_url(), client.consent_query(**changes)))


@pytest.mark.parametrize("missing", ["scope", "state"])
def test_an_incomplete_request_is_answered_with_an_error(browser: Browser, client: Client, missing: str) -> None:
    answer = answered(browser.open(client.consent_url(), client.consent_query(**{missing: None})))

    assert answer.parameters["error"] == "invalid_request"
    assert answer.parameters["error_description"].startswith("AADSTS900144: ")


def test_a_scope_that_does_not_exist_is_refused(browser: Browser, client: Client) -> None:
    query = client.consent_query(scope=f"{client.entra.https}/Everything.Read")

    assert answered(browser.open(client.consent_url(), query)).parameters["error"] == "invalid_client"


def test_an_unknown_tenant_has_no_consent_page(browser: Browser, client: Client) -> None:
    assert "AADSTS90002" in text(browser.open(client.consent_url("nowhere.example"), client.consent_query()))


def test_a_form_of_another_browser_is_refused(browser: Browser, client: Client) -> None:
    page = browser.sign_in(browser.open(client.consent_url(), client.consent_query()), "ada@contoso.example")
    with Browser() as other:
        other.open(client.consent_url(), client.consent_query())

        assert "AADSTS165000" in text(other.press(page, "accept"))


def test_a_wrong_password_is_said_on_the_page(browser: Browser, client: Client) -> None:
    opened = browser.open(client.consent_url(), client.consent_query())

    assert "AADSTS50126" in text(browser.sign_in(opened, "ada@contoso.example", "wrong"))
    assert "AADSTS50034" in text(browser.sign_in(opened, "nobody@contoso.example"))
    assert "AADSTS50057" in text(browser.sign_in(opened, "dan@contoso.example"))


def test_revoked_consent_takes_the_application_out_of_the_tenant(
    browser: Browser, client: Client, control: httpx.Client
) -> None:
    accept(browser, client, "ada@contoso.example")
    control.post(f"/consents/{CONTOSO}/revoke").raise_for_status()

    # MSAL would answer from its cache, so a new object asks.
    assert client.msal(CONTOSO).acquire_token_for_client([client.scope])["error_codes"] == [700016]


def test_hostile_a_forged_tenant(browser: Browser, client: Client, control: httpx.Client) -> None:
    control.put("/hostile", json={"consent_tenant": CONTOSO}).raise_for_status()

    assert accept(browser, client, "mallory@attacker.example").parameters["tenant"] == CONTOSO
    assert client.msal(CONTOSO).acquire_token_for_client([client.scope])["error_codes"] == [700016]
    assert "access_token" in client.msal(ATTACKER).acquire_token_for_client([client.scope])


def test_hostile_a_state_with_text_appended(browser: Browser, client: Client, control: httpx.Client) -> None:
    control.put("/hostile", json={"consent_state_suffix": "&x=1"}).raise_for_status()

    assert accept(browser, client, "ada@contoso.example").parameters["state"] == "the-state&x=1"


def test_hostile_an_error_in_spite_of_accept(browser: Browser, client: Client, control: httpx.Client) -> None:
    control.put("/hostile", json={"consent_error": "temporarily_unavailable"}).raise_for_status()

    answer = accept(browser, client, "ada@contoso.example")

    assert (answer.parameters["error"], answer.parameters["admin_consent"]) == (
        "temporarily_unavailable",
        "True",
    )


def test_hostile_anyone_consents(browser: Browser, client: Client, control: httpx.Client) -> None:
    control.put("/hostile", json={"consent_anyone": True}).raise_for_status()

    assert accept(browser, client, "fiona@fabrikam.example").parameters["tenant"] == FABRIKAM


def test_hostile_personal_accounts_pass(browser: Browser, client: Client, control: httpx.Client) -> None:
    control.put("/hostile", json={"consent_anyone": True, "personal_accounts": True}).raise_for_status()

    assert accept(browser, client, "pat@outlook.example").parameters["tenant"] == PERSONAL


def test_hostile_a_permission_left_out(browser: Browser, client: Client, control: httpx.Client) -> None:
    control.put("/hostile", json={"consent_without": ["Organization.Read.All"]}).raise_for_status()
    accept(browser, client, "ada@contoso.example")

    token = client.msal(CONTOSO).acquire_token_for_client([client.scope])["access_token"]

    assert client.graph("/organization", token).status_code == 403
