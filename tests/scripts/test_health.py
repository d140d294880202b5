"""infra/deploy.sh, at its last stage: settings that wait for Key Vault, and what becomes of a cookie on its way."""

import pytest

from tests.scripts.az_says import from_rest
from tests.scripts.conftest import COOKIE, GROUP, PARTS, REFERENCES, REFRESH, WELL, Ended, Machine, Part, lines

SETTINGS = "/subscriptions/s/resourceGroups/rg-sso/providers/Microsoft.Web/sites/x/config/configreferences/appsettings"
WAITING = Part(f"{REFERENCES}?", lines(f"{SETTINGS}/SSO_PSEUDONYM_KEY"))


def deploys(machine: Machine) -> Ended:
    return machine.runs(
        "deploy.sh", "--resource-group", GROUP, "--location", "westeurope", "--environment", "dev", "--yes"
    )


def sleeps(ended: Ended) -> list[str]:
    return [call for call in ended.calls if call.startswith("sleep")]


# -- Key Vault references ----------------------------------------------------------------------------------------------


def misconfigured(*fields: str) -> tuple[int, object]:
    return 503, {"status": "misconfigured", "faults": [{"field": field, "detail": "x"} for field in fields]}


def test_a_reference_that_is_not_resolved_is_refreshed_and_waited_for(machine: Machine) -> None:
    machine.plays(WAITING)
    machine.app.answers = [misconfigured("SSO_PSEUDONYM_KEY"), misconfigured("SSO_PSEUDONYM_KEY"), (200, WELL)]
    ended = deploys(machine)
    assert (ended.code, ended.sentence) == (0, "")
    refreshed = [call for call in ended.calls if "/refresh?" in call]
    assert len(refreshed) == 2
    assert refreshed[0].endswith("/config/configreferences/appsettings/refresh?api-version=2024-11-01 --output none")
    assert sleeps(ended) == ["sleep 5", "sleep 10"]


def test_a_reference_that_stays_unresolved_blames_the_vault_and_not_the_parameters(machine: Machine) -> None:
    machine.plays(WAITING)
    machine.app.answers = [misconfigured("SSO_PSEUDONYM_KEY")]
    ended = deploys(machine)
    assert ended.code == 1
    assert ended.sentence.startswith("Key Vault does not hand these settings to the app: SSO_PSEUDONYM_KEY.")
    assert "Key Vault Secrets User" in ended.sentence
    assert len(sleeps(ended)) == 14


@pytest.mark.parametrize(
    ("references", "fields"),
    [
        (WAITING, ("SSO_PUBLIC_URL", "SSO_PSEUDONYM_KEY")),
        (Part(f"{REFERENCES}?"), ("SSO_PUBLIC_URL",)),
        (Part(f"{REFERENCES}?", complains=from_rest("Forbidden", "AuthorizationFailed", "No."), fails=1), ("SSO_X",)),
    ],
    ids=["beside a reference", "none waits", "not to be seen"],
)
def test_another_setting_that_is_wrong_is_named_at_once(
    machine: Machine, references: Part, fields: tuple[str, ...]
) -> None:
    machine.plays(references)
    machine.app.answers = [misconfigured(*fields)]
    ended = deploys(machine)
    assert (ended.code, sleeps(ended)) == (1, [])
    assert ended.sentence.startswith(f"The service says that settings are wrong: {fields[0]}. Correct them in ")


def test_who_may_not_refresh_waits(machine: Machine) -> None:
    machine.plays(WAITING, Part(REFRESH, complains=from_rest("Forbidden", "AuthorizationFailed", "No."), fails=1))
    machine.app.answers = [misconfigured("SSO_PSEUDONYM_KEY"), (200, WELL)]
    ended = deploys(machine)
    assert ended.code == 0
    assert "It cannot be asked to" in ended.output


# -- cookies -----------------------------------------------------------------------------------------------------------

AFFINITY = "ARRAffinity=a1b2; Path=/; HttpOnly; Secure; Domain=func-sso-dev-x.azurewebsites.net"
SECURE = COOKIE.replace("__Host-", "__Secure-")
WAY_ON = '"cookiePrefix": { "value": "__Secure-" } in infra/dev.parameters.json'


@pytest.mark.parametrize(
    "cookies",
    [
        {"Set-Cookie": COOKIE},
        {"set-cookie": COOKIE},
        {"SET-COOKIE": f"{COOKIE}; domain="},
        {"Set-Cookie": f"{COOKIE}; Domain = ; Secure"},
        {"Set-Cookie": f"{COOKIE}; domain"},
        {"Set-Cookie": AFFINITY, "set-cookie": COOKIE},
        {"Set-Cookie": COOKIE.replace("probe", "domain=x")},
        {"Set-Cookie": f"{SECURE}; domain=127.0.0.1"},
    ],
    ids=["plain", "lower case", "empty", "spaces", "bare", "of Azure", "in the value", "weaker prefix"],
)
def test_a_cookie_that_browsers_take(machine: Machine, cookies: dict[str, str]) -> None:
    machine.app.cookie_lines = cookies
    ended = deploys(machine)
    assert (ended.code, ended.sentence) == (0, "")


@pytest.mark.parametrize(
    "cookies",
    [
        {"Set-Cookie": f"{COOKIE}; domain=127.0.0.1"},
        {"set-cookie": f"{COOKIE};DOMAIN=.127.0.0.1;Secure"},
        {"Set-Cookie": COOKIE, "set-cookie": f"{COOKIE}; domain=127.0.0.1"},
        {"Set-Cookie": f"{COOKIE}; domain=127.0.0.1; domain="},
        {"Set-Cookie": f"{COOKIE.lower()}; domain=127.0.0.1"},
    ],
    ids=["plain", "upper case", "the second of two", "filled and empty", "prefix in lower case"],
)
def test_a_host_cookie_with_a_domain_stops_it_and_names_the_way_on(machine: Machine, cookies: dict[str, str]) -> None:
    machine.app.cookie_lines = cookies
    ended = deploys(machine)
    assert ended.code == 1
    assert ended.sentence.lower().startswith("the cookie __host-health reaches browsers with the domain 127.0.0.1, wh")
    for said in ("the operator has one way on", WAY_ON, "That gives up", "SECURITY.md"):
        assert said in ended.sentence


@pytest.mark.parametrize("cookie", [COOKIE, SECURE], ids=["__Host-", "__Secure-"])
def test_a_domain_that_is_not_where_people_come_helps_with_no_prefix(machine: Machine, cookie: str) -> None:
    """A front that keeps the function app's name, behind an address of one's own."""
    machine.app.cookie_lines = {"Set-Cookie": f"{cookie}; domain=func-sso-dev-x.azurewebsites.net"}
    ended = deploys(machine)
    assert ended.code == 1
    assert "but people come to 127.0.0.1: no browser takes it" in ended.sentence
    assert "cookiePrefix" not in ended.sentence


@pytest.mark.parametrize("cookies", [{}, {"Set-Cookie": AFFINITY}], ids=["none", "of Azure alone"])
def test_a_cookie_that_is_lost_on_the_way(machine: Machine, cookies: dict[str, str]) -> None:
    machine.app.cookie_lines = cookies
    ended = deploys(machine)
    assert ended.code == 1
    assert ended.sentence.startswith(f"{machine.app.url}/health/cookie answers without the service's cookie.")
    assert sleeps(ended) == ["sleep 5", "sleep 10", "sleep 20", "sleep 30", "sleep 60"]


def test_the_cookies_of_the_runtime_are_a_part_of_the_health(machine: Machine) -> None:
    machine.app.answers = [(200, {"status": "degraded", "parts": {**PARTS, "cookies": "down"}})]
    ended = deploys(machine)
    assert ended.code == 1
    assert "  cookies: The runtime writes a domain into our cookies, which browsers refuse." in ended.sentence
