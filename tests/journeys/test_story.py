"""The whole story on the whole stack: an account, its integration, its policy, its users, and its end."""

from local import loopback
from local.cast.stack import CLIENT_SECRET, HOST, PSEUDONYM_KEY, REMEMBER_KEY, Entra, functions_host, settings
from local.cast.story import ACCOUNT, Story
from local.processes import Azurite

CONTOSO = "c0c00000-0000-4000-8000-000000000000"
AZURITES_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq"


def test_an_account_is_integrated_and_its_people_sign_in_as_its_policy_says(
    port: int, url: str, store: Azurite, entra: Entra
) -> None:
    with (
        functions_host(settings(url, entra, store.connection_string), port=port, settings=HOST),
        Story.at(url, entra) as story,
    ):
        story.register()
        assert story.method("alice@contoso.example") == "password", "nothing is connected"

        page = story.integrate()
        assert page.status == 200, page.html
        connection = story.must("manager", "GET", f"{ACCOUNT}/connection")
        assert (connection["status"], connection["tenantId"]) == ("connected", CONTOSO)
        domains = story.must("manager", "GET", f"{ACCOUNT}/domains")["items"]
        assert {each["domain"]: each["state"] for each in domains} == {
            "contoso.example": "routed",
            "contoso-mail.example": "routed",
            "contoso.onmicrosoft.com": "not_routable",
        }
        assert story.method("alice@contoso.example") == "password", "the policy is off"

        story.switch_on()
        report = story.except_for("carol@contoso-mail.example", "not an email", "trainer+visiting@contoso.example")
        assert (report["accepted"], report["refused"]) == (2, 1)
        assert [problem["line"] for problem in report["problems"]] == [3]
        answers = {
            ("alice@contoso.example", "unite"): "sso",
            ("Bob@Contoso-Mail.Example", "unite"): "sso",
            ("new.hire@contoso.example", None): "sso",
            ("carol@contoso-mail.example", "unite"): "password",
            ("trainer+visiting@contoso.example", "unite"): "password",
            ("trainer@contoso.example", "unite"): "sso",
            ("alice@contoso.example", "legacy"): "password",
            ("nora@northwind.example", "unite"): "password",
        }
        assert {asked: story.method(*asked) for asked in answers} == answers
        told = story.resolve("alice@contoso.example").json()
        assert (told["tenantId"], told["authority"]) == (CONTOSO, f"{entra.https}/{CONTOSO}")
        assert told["signInUrl"].startswith(f"{url}/oauth2/authorize?")

        story.must("manager", "POST", f"{ACCOUNT}/connection/check")
        story.must("manager", "DELETE", f"{ACCOUNT}/connection", etag="*")
        assert story.method("alice@contoso.example") == "password", "nothing is connected any more"
        assert story.must("manager", "GET", f"{ACCOUNT}/policy")["mode"] == "on", "the policy is kept"
        assert len(story.must("manager", "GET", f"{ACCOUNT}/exceptions")["items"]) == 2, "and so are the exceptions"
        story.integrate()
        assert story.method("alice@contoso.example") == "sso", "connected again, all is as it was"
        assert len(story.audit()) >= 6
        assert loopback.get(f"{url}/health", timeout=20).json()["status"] == "ok"


def test_nothing_that_is_personal_or_secret_is_logged(port: int, url: str, store: Azurite, entra: Entra) -> None:
    people = ["alice@contoso.example", "carol@contoso-mail.example", "o'brien+tag@contoso.example", "x@nowhere.example"]
    with (
        functions_host(settings(url, entra, store.connection_string), port=port, settings=HOST) as host,
        Story.at(url, entra) as story,
    ):
        story.begin()
        story.except_for(people[1], people[2], "broken address@contoso.example")
        for person in people:
            story.resolve(person)
        refused = [
            story.resolve("broken address@contoso.example"),
            story.resolve(people[0], "unknown-application"),
            story.client.post("/v1/resolve", json={"email": people[0]}, headers={"x-functions-key": "wrong-key"}),
            story.client.get(ACCOUNT, headers={"Authorization": "Bearer forged.bearer.token"}),
            story.call("manager", "PUT", f"{ACCOUNT}/policy", json={"mode": people[0]}, etag="*"),
            story.call("manager", "POST", f"{ACCOUNT}/exceptions", json={"email": people[1], "reason": "again"}),
            story.call("manager", "POST", f"{ACCOUNT}/exceptions/search", json={"email": people[1]}),
            story.client.get("/v1/connect/callback", params={"state": "forged-state-parameter", "code": "forged-code"}),
            story.client.get("/v1/connect", params={"ticket": "forged-ticket-of-nobody"}),
        ]
        assert {answer.status_code for answer in refused} >= {400, 401, 409, 422}
        story.call("manager", "GET", f"{ACCOUNT}/exceptions", headers={"Accept": "text/csv"})
        log = host.log()
    assert '{"event":"resolve","outcome":"sso","reason":"sso_applies","account":"contoso"' in log, (
        "it says what happened"
    )
    assert '{"event":"connect","outcome":"connected","account":"contoso"}' in log
    personal = {*people, "ada@contoso.example", "broken address", "Ada Admin", "Alice Archer", "o'brien", "o%27brien"}
    forged = {"wrong-key", "forged.bearer.token", "forged-state-parameter", "forged-code", "forged-ticket-of-nobody"}
    secrets = {secret for secret in story.secrets if len(secret) > 6} | {
        CLIENT_SECRET,
        PSEUDONYM_KEY,
        REMEMBER_KEY,
        AZURITES_KEY,
    }
    assert len(secrets) > 12, "the browser has seen ticket, states, codes and cookies"
    found = {text for text in personal | forged | secrets if text.lower() in log.lower()}
    assert found == set()
    assert "Traceback" not in log


def test_a_misconfigured_service_starts_and_says_what_is_wrong(
    port: int, url: str, store: Azurite, entra: Entra
) -> None:
    right = settings(url, entra, store.connection_string)
    wrong = {name: value for name, value in right.items() if name != "SSO_ENTRA_CLIENT_ID"}
    wrong |= {"SSO_GRAPH_URL": "ftp://the-wrong-value", "SSO_PSEUDONYM_KEY": "the-wrong-value"}
    named = {"SSO_ENTRA_CLIENT_ID", "SSO_GRAPH_URL", "SSO_PSEUDONYM_KEY"}
    with functions_host(wrong, port=port, settings=HOST) as host:
        with loopback.client(base_url=url, timeout=10) as client:
            health = client.get("/health")
            elsewhere = [client.get(ACCOUNT), client.post("/v1/resolve"), client.get("/"), client.delete("/a/b/c")]
        log = host.log()
    assert health.status_code == 503
    assert health.json()["status"] == "misconfigured"
    assert {fault["field"] for fault in health.json()["faults"]} == named
    assert all(fault["detail"] for fault in health.json()["faults"])
    assert {answer.status_code for answer in elsewhere} == {503}
    for name in named:
        assert f"misconfigured setting={name} " in log
    assert "Executed 'explain_misconfiguration'" in log
    for text in (health.text, log):
        assert "the-wrong-value" not in text
        assert CLIENT_SECRET not in text
