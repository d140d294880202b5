"""infra/entra.sh: the app registration without Bicep's Graph extension."""

import json
import re
from typing import Any

import pytest

from local.entra.directory import load
from local.processes import ROOT
from tests.scripts.az_says import DENIED, NO_REGISTRATION, NOT_REPLICATED, error, from_rest
from tests.scripts.conftest import (
    CLIENT_ID,
    CREATED,
    OWNER,
    PRINCIPAL,
    SUBSCRIPTION,
    TENANT,
    TRUST,
    TRUSTED,
    Break,
    Ended,
    Machine,
    Part,
    directory,
    lines,
    shown,
)

URL = "https://sso.vendor.net"
OPTIONS = ("--display-name", "Vendor's SSO", "--public-url", URL, "--identity-principal-id", PRINCIPAL)
REDIRECTS = [f"{URL}/v1/connect/callback", f"{URL}/signin/callback", f"{URL}/signed-out"]
FOUND = "az ad app list … displayName eq 'Vendor''s SSO' "
LOCAL = load(ROOT / "local" / "entra" / "directory.toml").application

GRAPH = "00000003-0000-0000-c000-000000000000"
PERMISSIONS = {
    "openid": "37f7f235-527c-4136-accd-4a02d197296e",
    "profile": "14dad69e-099b-42c9-810b-d002981feec1",
    "email": "64a6cdd6-aab1-4aaf-94b8-3cc8405e90d0",
    "User.Read": "e1fe6dd8-ba31-4d61-89e7-88639da4683d",
    "Organization.Read.All": "498476ce-e0fe-48b0-b801-37ba7e2685c6",
}
"""https://learn.microsoft.com/graph/permissions-reference."""


@pytest.fixture(autouse=True)
def empty_directory(machine: Machine) -> None:
    """A directory without any registration, in which everything succeeds."""
    machine.plays(*directory())


def registers(machine: Machine, *more: str) -> Ended:
    return machine.runs("entra.sh", *OPTIONS, *more)


def option(ended: Ended, command: str, name: str) -> list[str]:
    """The values of an option in the one call of a command."""
    (words,) = [words for words in ended.words if " ".join(words).startswith(command)]
    after = words[words.index(name) + 1 :]
    end = next((at for at, word in enumerate(after) if word.startswith("--")), len(after))
    return [*after[:end]]


def wanted(ended: Ended) -> Any:
    """What the registration is to be."""
    (words,) = [words for words in ended.words if "--body" in words]
    return json.loads(words[words.index("--body") + 1])


def test_a_registration_is_made(machine: Machine) -> None:
    ended = registers(machine)
    assert (ended.code, ended.sentence) == (0, "")
    assert ended.output.splitlines()[-1] == CLIENT_ID
    made = [call.split(" --")[0] for call in ended.calls]
    assert made == [
        "az cloud show",
        "az account show",
        "az rest",
        "az ad app list",
        "az rest",
        "az ad app federated-credential list",
        "az ad app federated-credential create",
        "az ad app federated-credential list",
        "az ad sp list",
        "az ad sp create",
    ]
    (made_by,) = [call for call in ended.calls if call.startswith("az rest --method patch")]
    assert f"/v1.0/applications(uniqueName='azure-sso-{PRINCIPAL}') " in made_by


@pytest.mark.parametrize("name", ["Vendor's SSO", 'The "SSO"', "C:\\SSO  2", "Größe ✓"])
def test_customers_read_the_name_as_it_was_given(machine: Machine, name: str) -> None:
    ended = machine.runs("entra.sh", "--display-name", name, *OPTIONS[2:])
    assert (ended.code, wanted(ended)["displayName"]) == (0, name)
    (looked,) = option(ended, "az ad app list", "--filter")
    assert looked == f"displayName eq '{name.replace("'", "''")}'"


def test_it_asks_for_what_the_service_uses_and_no_more(machine: Machine) -> None:
    """As local Entra has it, against which the service is tested."""
    (access,) = wanted(registers(machine))["requiredResourceAccess"]
    assert access["resourceAppId"] == GRAPH
    asked = {(entry["type"], entry["id"]) for entry in access["resourceAccess"]}
    assert asked == {("Scope", PERMISSIONS[name]) for name in LOCAL.delegated_permissions} | {
        ("Role", PERMISSIONS[name]) for name in LOCAL.application_permissions
    }


def test_it_asks_for_the_claims_that_the_service_reads(machine: Machine) -> None:
    claims = wanted(registers(machine))["optionalClaims"]
    assert {claim["name"] for claim in claims["idToken"]} == LOCAL.optional_claims | {"auth_time"}


def test_the_rest_of_it(machine: Machine) -> None:
    body = wanted(registers(machine))
    del body["requiredResourceAccess"], body["optionalClaims"]
    assert body == {
        "displayName": "Vendor's SSO",
        "signInAudience": "AzureADMultipleOrgs",
        "isFallbackPublicClient": False,
        "groupMembershipClaims": LOCAL.group_membership_claims,
        "servicePrincipalLockConfiguration": {"isEnabled": True, "allProperties": True},
        "web": {
            "homePageUrl": None,
            "redirectUris": REDIRECTS,
            "logoutUrl": f"{URL}{LOCAL.front_channel_logout_path}",
            "implicitGrantSettings": {"enableIdTokenIssuance": False, "enableAccessTokenIssuance": False},
        },
    }
    assert [f"{URL}{path}" for path in LOCAL.redirect_paths] == REDIRECTS


def test_a_tile_opens_an_application_by_way_of_the_service(machine: Machine) -> None:
    ended = machine.runs("entra.sh", *OPTIONS, "--tile", "unite")
    assert wanted(ended)["web"]["homePageUrl"] == f"{URL}/signin/start?application=unite"
    refused = machine.runs("entra.sh", *OPTIONS, "--tile", 'unite"')
    assert (refused.code, refused.sentence) == (1, "--tile must be the client id of an application.")


@pytest.mark.parametrize(
    ("cloud", "login", "audience"),
    [
        ("AzureCloud", "https://login.microsoftonline.com", "api://AzureADTokenExchange"),
        ("AzureUSGovernment", "https://login.microsoftonline.us", "api://AzureADTokenExchangeUSGov"),
        ("AzureChinaCloud", "https://login.chinacloudapi.cn", "api://AzureADTokenExchangeChina"),
    ],
)
def test_it_trusts_the_managed_identity_alone(machine: Machine, cloud: str, login: str, audience: str) -> None:
    machine.plays(Part("az cloud show", lines(cloud, login, "https://graph.example/")))
    ended = registers(machine)
    trusted = json.loads(option(ended, "az ad app federated-credential create", "--parameters")[0])
    assert trusted == {
        "name": "managed-identity",
        "issuer": f"{login}/{TENANT}/v2.0",
        "subject": PRINCIPAL,
        "audiences": [audience],
    }


SHOWN = "az ad app show"
"""What is asked of a registration before it is changed: its keys."""


def test_run_again_with_its_client_id_it_makes_nothing_twice(machine: Machine) -> None:
    machine.plays(
        Part(TRUSTED),
        Part("az ad app federated-credential list", lines("the-credential")),
        Part("az ad sp list", lines("the-service-principal")),
    )
    ended = registers(machine, "--client-id", CLIENT_ID)
    assert (ended.code, ended.output.splitlines()[-1]) == (0, CLIENT_ID)
    assert not any(" create " in call for call in ended.calls)
    assert option(ended, "az ad app federated-credential update", "--federated-credential-id") == ["the-credential"]
    changed = json.loads(option(ended, "az ad app federated-credential update", "--parameters")[0])
    assert "name" not in changed, "it cannot be changed"


def test_run_again_it_finds_what_it_made(machine: Machine) -> None:
    """And asks neither for namesakes nor for a client id."""
    assert registers(machine).code == 0
    again = registers(machine)
    assert (again.code, again.output.splitlines()[-1]) == (0, CLIENT_ID)
    assert not any(" create " in call or "create-if-missing" in call for call in again.calls)
    assert not any(call.startswith("az ad app list") for call in again.calls)
    assert option(again, "az rest --method patch", "--url") == [BY_CLIENT_ID]


BY_CLIENT_ID = f"https://graph.microsoft.com/v1.0/applications(appId='{CLIENT_ID}')"


@pytest.mark.parametrize(
    ("owners", "code"), [((), 0), (("mallory@vendor.net",), 1)], ids=["nobody else", "somebody else"]
)
def test_what_bears_its_unique_name_must_be_owned_by_nobody_else(
    machine: Machine, owners: tuple[str, ...], code: int
) -> None:
    """Anybody who may make registrations can give theirs this name, and add a secret later."""
    assert registers(machine).code == 0
    machine.plays(Part(f"az ad app owner list --id {CLIENT_ID} … [?id != '{OWNER}' && ", lines(*owners)))
    again = registers(machine)
    assert (again.code, changes_nothing(again)) == (code, code == 1)
    if code:
        assert "is owned by others than you:\n  mallory@vendor.net\n" in again.sentence
        assert "--client-id" in again.sentence


def test_a_pipeline_owns_what_it_made(machine: Machine) -> None:
    """A service principal has no `me`; az knows its client id."""
    machine.plays(Part("az account show … --query [tenantId, ", lines(TENANT, SUBSCRIPTION, "servicePrincipal")))
    assert registers(machine).code == 0
    again = registers(machine)
    assert again.code == 0
    assert not any("signed-in-user" in call for call in again.calls)
    assert any(f"&& appId != '{SUBSCRIPTION}'" in call for call in again.calls)


def test_one_that_was_there_all_the_same_is_looked_at_like_any_other(machine: Machine) -> None:
    """A replica that lags says that there is none; creating it then changes what is there, and answers nothing."""
    assert registers(machine).code == 0
    machine.plays(
        Part("az rest --method get … /applications(uniqueName=", complains=NO_REGISTRATION, fails=1, times=2),
        Part("az ad app owner list", lines("mallory@vendor.net")),
    )
    again = registers(machine)
    assert (again.code, "owned by others than you" in again.sentence) == (1, True)


STEPS = 10
CHANGES = (4, 6, 9)
"""How many calls make a registration, and which of them change something."""

FAILURES = [*(Break(step) for step in range(STEPS)), *(Break(step, late=True) for step in CHANGES)]


@pytest.mark.parametrize("failure", FAILURES, ids=str)
def test_after_a_failure_at_any_step_it_is_run_again(machine: Machine, failure: Break) -> None:
    machine.breaks = failure
    assert registers(machine).code == 1
    machine.breaks = None
    again = registers(machine)
    assert (again.code, again.sentence, again.output.splitlines()[-1]) == (0, "", CLIENT_ID)


def test_the_steps_are_these(machine: Machine) -> None:
    calls = registers(machine).calls
    assert len(calls) == STEPS
    assert tuple(at for at, call in enumerate(calls) if " create" in call or " patch " in call) == CHANGES


def test_what_a_replica_has_not_heard_of_is_there_all_the_same(machine: Machine) -> None:
    """The answers to both were lost, and the lists do not show them yet."""
    machine.plays(
        Part(TRUST, complains=error("FederatedIdentityCredential with name managed-identity already exists."), fails=1),
        Part("az ad sp create", complains=error(f"The service principal name {CLIENT_ID} is already in use."), fails=1),
    )
    ended = registers(machine)
    assert (ended.code, ended.sentence) == (0, "")


def test_a_new_credential_is_waited_for(machine: Machine) -> None:
    machine.plays(Part("az ad app federated-credential list … .subject | [0]", times=2))
    ended = registers(machine)
    assert ended.code == 0
    assert [call for call in ended.calls if call.startswith("sleep")] == ["sleep 5", "sleep 10"]


def test_a_credential_that_is_never_shown_stops_nobody(machine: Machine) -> None:
    machine.plays(Part("az ad app federated-credential list … .subject | [0]"))
    ended = registers(machine)
    assert ended.code == 0
    assert "It can take minutes until it counts." in ended.output


def changes_nothing(ended: Ended) -> bool:
    return not any(verb in call for call in ended.calls for verb in (" create ", " update ", " patch "))


def test_a_namesake_is_not_taken_over_even_if_it_returns_to_this_service(machine: Machine) -> None:
    """Anybody who may make registrations can give theirs our name and our addresses, and keep a secret of it."""
    machine.plays(
        Part(FOUND, lines("7w1n-1", "7w1n-2")),
        Part("az ad app owner list --id 7w1n-1", lines("mallory@vendor.net", "eve@vendor.net")),
        Part("az ad app owner list --id 7w1n-2"),
    )
    ended = registers(machine)
    assert (ended.code, changes_nothing(ended)) == (1, True)
    *told, way_on = ended.sentence.splitlines()
    assert told == [
        "There is a registration of this name:",
        "  7w1n-1, owned by mallory@vendor.net eve@vendor.net",
        "  7w1n-2, owned by nobody",
    ]
    assert way_on.startswith(
        "Anybody may have made it, so it is not taken over. If you know that it is this service's,"
    )
    assert "--client-id" in way_on
    assert way_on.endswith("otherwise choose another --display-name.")


def test_what_else_could_prove_itself_as_the_service_is_named_and_nothing_is_changed(machine: Machine) -> None:
    other = "federated credential ci for repo:mallory/x of https://token.actions.githubusercontent.com"
    machine.plays(Part(SHOWN, lines("client secret 5ec2e7", "certificate ce27")), Part(TRUSTED, lines(other)))
    ended = registers(machine, "--client-id", CLIENT_ID)
    assert (ended.code, changes_nothing(ended)) == (1, True)
    assert ended.sentence.splitlines() == [
        f"The app registration {CLIENT_ID} trusts more than the identity {PRINCIPAL}:",
        "  client secret 5ec2e7",
        "  certificate ce27",
        f"  {other}",
        "Find out whose these are. Remove them, or choose another registration, and run this again.",
    ]


@pytest.mark.parametrize("what", [SHOWN, TRUSTED])
def test_one_thing_too_many_is_enough(machine: Machine, what: str) -> None:
    machine.plays(Part(what, lines("something")))
    ended = registers(machine, "--client-id", CLIENT_ID)
    assert (ended.code, changes_nothing(ended)) == (1, True)
    assert ended.sentence.splitlines()[1:-1] == ["  something"]


def test_another_issuer_cannot_vouch_for_this_identity(machine: Machine) -> None:
    ended = registers(machine, "--client-id", CLIENT_ID)
    strangers = f"[?subject != '{PRINCIPAL}' || issuer != 'https://login.microsoftonline.com/{TENANT}/v2.0']"
    assert sum(strangers in call for call in ended.calls) == 1


def test_a_registration_moves_to_another_address_when_told_so(machine: Machine) -> None:
    ended = registers(machine, "--client-id", CLIENT_ID)
    assert (ended.code, ended.output.splitlines()[-1]) == (0, CLIENT_ID)
    assert wanted(ended)["web"]["redirectUris"] == REDIRECTS
    assert option(ended, "az rest --method patch", "--url") == [BY_CLIENT_ID]
    assert not any("create-if-missing" in call for call in ended.calls)


def test_a_new_registration_is_waited_for(machine: Machine) -> None:
    machine.plays(Part("az ad app federated-credential create", complains=error(NOT_REPLICATED), fails=1, times=1))
    ended = registers(machine)
    assert ended.code == 0
    assert [call for call in ended.calls if call.startswith("sleep")] == ["sleep 15"]


def test_a_client_id_that_is_wrong_is_not_waited_for(machine: Machine) -> None:
    machine.plays(Part(SHOWN, complains=error(NOT_REPLICATED), fails=3))
    ended = registers(machine, "--client-id", CLIENT_ID)
    assert (ended.code, changes_nothing(ended)) == (1, True)
    assert ended.sentence.startswith(f"The app registration {CLIENT_ID} cannot be read.")
    assert not any(call.startswith("sleep") for call in ended.calls)


def test_who_may_not_register_is_told_who_can(machine: Machine) -> None:
    machine.plays(
        Part(CREATED, complains=from_rest("Forbidden", "Authorization_RequestDenied", DENIED), fails=1),
    )
    ended = registers(machine)
    assert (ended.code, "ERROR" in ended.sentence) == (1, False)
    assert ended.sentence.startswith("You may not make app registrations in this directory.")


def test_a_dry_run_calls_nothing(machine: Machine) -> None:
    ended = registers(machine, "--dry-run")
    assert (ended.code, ended.calls) == (0, ())
    assert len(shown(ended)) == STEPS
    assert ended.output.splitlines()[-1] == "<clientId>"


@pytest.mark.parametrize("missing", [0, 2, 4])
def test_everything_is_needed(machine: Machine, missing: int) -> None:
    ended = machine.runs("entra.sh", *OPTIONS[:missing], *OPTIONS[missing + 2 :])
    assert (ended.code, ended.calls) == (1, ())
    assert "are needed. See infra/entra.sh --help." in ended.sentence


@pytest.mark.parametrize("url", ["http://sso.vendor.net", "https://sso.vendor.net/", "sso.vendor.net", "https://"])
def test_an_address_that_is_none_is_refused(machine: Machine, url: str) -> None:
    ended = machine.runs("entra.sh", *OPTIONS[:3], url, *OPTIONS[4:])
    assert (ended.code, ended.calls) == (1, ())
    assert ended.sentence.startswith("--public-url must be an address")


# -- the Bicep beside it -----------------------------------------------------------------------------------------------

BICEP = ROOT / "infra" / "entra.bicep"


def test_both_ways_make_the_same_registration() -> None:
    bicep, script = BICEP.read_text(encoding="utf-8"), (ROOT / "infra" / "entra.sh").read_text(encoding="utf-8")
    guid = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
    assert {*guid.findall(bicep)} == {*guid.findall(script)} == {*PERMISSIONS.values(), GRAPH}
    paths = {*re.findall(r"\$\{address\}(/[^']+)'", bicep)}
    tile = "/signin/start?application=$"
    assert paths == {*LOCAL.redirect_paths, LOCAL.front_channel_logout_path, f"{tile}{{tileApplication}}"}
    assert f"$public_url{tile}tile" in script
    (listed,) = re.findall(r"var optionalClaims = \[(.*?)\]", bicep, re.DOTALL)
    assert {*re.findall(r"'(\w+)'", listed)} == {*re.findall(r'\{"name": "(\w+)"\}', script)}
