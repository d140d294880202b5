"""infra/entra.sh: the app registration without Bicep's Graph extension."""

import json
import re

import pytest

from local.entra.directory import load
from local.processes import ROOT
from tests.scripts.conftest import CLIENT_ID, PRINCIPAL, TENANT, Ended, Machine, Part, lines, shown

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


@pytest.fixture
def directory(machine: Machine) -> Machine:
    """A directory without any registration, in which everything succeeds."""
    machine.plays(
        Part(FOUND),
        Part("az ad app create", lines(CLIENT_ID)),
        Part("az ad app show"),
        Part(f"az ad app update --id {CLIENT_ID}"),
        Part("az rest --method patch"),
        Part("az ad app federated-credential list"),
        Part("az ad app federated-credential create"),
        Part("az ad app federated-credential update"),
        Part("az ad sp list"),
        Part("az ad sp create", lines("5e110000-0000-4000-8000-00000000005b")),
    )
    return machine


def registers(machine: Machine, *more: str) -> Ended:
    return machine.runs("entra.sh", *OPTIONS, *more)


def option(ended: Ended, command: str, name: str) -> list[str]:
    """The values of an option in the one call of a command."""
    (words,) = [words for words in ended.words if " ".join(words).startswith(command)]
    after = words[words.index(name) + 1 :]
    end = next((at for at, word in enumerate(after) if word.startswith("--")), len(after))
    return [*after[:end]]


def test_a_registration_is_made(directory: Machine) -> None:
    ended = registers(directory)
    assert (ended.code, ended.sentence) == (0, "")
    assert ended.output.splitlines()[-1] == CLIENT_ID
    made = [call.split(" --")[0] for call in ended.calls]
    assert made == [
        "az cloud show",
        "az account show",
        "az ad app list",
        "az ad app create",
        "az rest",
        "az ad app federated-credential list",
        "az ad app federated-credential create",
        "az ad sp list",
        "az ad sp create",
    ]
    assert option(ended, "az ad app create", "--sign-in-audience") == ["AzureADMultipleOrgs"]
    assert option(ended, "az ad app create", "--web-redirect-uris") == REDIRECTS


def test_it_asks_for_what_the_service_uses_and_no_more(directory: Machine) -> None:
    """As local Entra has it, against which the service is tested."""
    ended = registers(directory)
    (wanted,) = json.loads(option(ended, "az ad app create", "--required-resource-accesses")[0])
    assert wanted["resourceAppId"] == GRAPH
    asked = {(entry["type"], entry["id"]) for entry in wanted["resourceAccess"]}
    assert asked == {("Scope", PERMISSIONS[name]) for name in LOCAL.delegated_permissions} | {
        ("Role", PERMISSIONS[name]) for name in LOCAL.application_permissions
    }


def test_it_asks_for_the_claims_that_the_service_reads(directory: Machine) -> None:
    claims = json.loads(option(registers(directory), "az ad app create", "--optional-claims")[0])
    assert {claim["name"] for claim in claims["idToken"]} == LOCAL.optional_claims | {"auth_time"}


def test_the_addresses_are_those_of_the_service(directory: Machine) -> None:
    ended = registers(directory)
    assert option(ended, "az rest", "--url") == [f"https://graph.microsoft.com/v1.0/applications(appId='{CLIENT_ID}')"]
    body = json.loads(option(ended, "az rest", "--body")[0])
    assert body == {
        "groupMembershipClaims": LOCAL.group_membership_claims,
        "servicePrincipalLockConfiguration": {"isEnabled": True, "allProperties": True},
        "web": {
            "redirectUris": [f"{URL}{path}" for path in LOCAL.redirect_paths],
            "logoutUrl": f"{URL}{LOCAL.front_channel_logout_path}",
        },
    }


@pytest.mark.parametrize(
    ("cloud", "login", "audience"),
    [
        ("AzureCloud", "https://login.microsoftonline.com", "api://AzureADTokenExchange"),
        ("AzureUSGovernment", "https://login.microsoftonline.us", "api://AzureADTokenExchangeUSGov"),
        ("AzureChinaCloud", "https://login.chinacloudapi.cn", "api://AzureADTokenExchangeChina"),
    ],
)
def test_it_trusts_the_managed_identity_alone(directory: Machine, cloud: str, login: str, audience: str) -> None:
    directory.plays(Part("az cloud show", lines(cloud, login, "https://graph.example/")))
    ended = registers(directory)
    trusted = json.loads(option(ended, "az ad app federated-credential create", "--parameters")[0])
    assert trusted == {
        "name": "managed-identity",
        "issuer": f"{login}/{TENANT}/v2.0",
        "subject": PRINCIPAL,
        "audiences": [audience],
    }


SHOWN = "az ad app show"
TRUSTED = "az ad app federated-credential list … [?subject != "
"""What is asked of a registration before it is mended: its keys, and whom else it trusts."""


def test_run_again_with_its_client_id_it_makes_nothing_twice(directory: Machine) -> None:
    directory.plays(
        Part(TRUSTED),
        Part("az ad app federated-credential list", lines("the-credential")),
        Part("az ad sp list", lines("the-service-principal")),
    )
    ended = registers(directory, "--client-id", CLIENT_ID)
    assert (ended.code, ended.output.splitlines()[-1]) == (0, CLIENT_ID)
    assert not any(" create " in call for call in ended.calls)
    assert option(ended, "az ad app federated-credential update", "--federated-credential-id") == ["the-credential"]
    changed = json.loads(option(ended, "az ad app federated-credential update", "--parameters")[0])
    assert "name" not in changed, "it cannot be changed"


def changes_nothing(ended: Ended) -> bool:
    return not any(verb in call for call in ended.calls for verb in (" create ", " update ", " patch "))


def test_a_namesake_is_not_taken_over_even_if_it_returns_to_this_service(directory: Machine) -> None:
    """Anybody who may make registrations can give theirs our name and our addresses, and keep a secret of it."""
    directory.plays(
        Part(FOUND, lines("7w1n-1", "7w1n-2")),
        Part("az ad app owner list --id 7w1n-1", lines("mallory@vendor.net", "eve@vendor.net")),
        Part("az ad app owner list --id 7w1n-2"),
    )
    ended = registers(directory)
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


def test_what_else_could_prove_itself_as_the_service_is_named_and_nothing_is_changed(directory: Machine) -> None:
    other = "federated credential ci for repo:mallory/x of https://token.actions.githubusercontent.com"
    directory.plays(Part(SHOWN, lines("client secret 5ec2e7", "certificate ce27")), Part(TRUSTED, lines(other)))
    ended = registers(directory, "--client-id", CLIENT_ID)
    assert (ended.code, changes_nothing(ended)) == (1, True)
    assert ended.sentence.splitlines() == [
        f"The app registration {CLIENT_ID} trusts more than the identity {PRINCIPAL}:",
        "  client secret 5ec2e7",
        "  certificate ce27",
        f"  {other}",
        "Find out whose these are. Remove them, or choose another registration, and run this again.",
    ]


@pytest.mark.parametrize("what", [SHOWN, TRUSTED])
def test_one_thing_too_many_is_enough(directory: Machine, what: str) -> None:
    directory.plays(Part(what, lines("something")))
    ended = registers(directory, "--client-id", CLIENT_ID)
    assert (ended.code, changes_nothing(ended)) == (1, True)
    assert ended.sentence.splitlines()[1:-1] == ["  something"]


def test_another_issuer_cannot_vouch_for_this_identity(directory: Machine) -> None:
    ended = registers(directory, "--client-id", CLIENT_ID)
    strangers = f"[?subject != '{PRINCIPAL}' || issuer != 'https://login.microsoftonline.com/{TENANT}/v2.0']"
    assert sum(strangers in call for call in ended.calls) == 1


def test_a_registration_moves_to_another_address_when_told_so(directory: Machine) -> None:
    ended = registers(directory, "--client-id", CLIENT_ID)
    assert (ended.code, ended.output.splitlines()[-1]) == (0, CLIENT_ID)
    assert option(ended, "az ad app update", "--web-redirect-uris") == REDIRECTS


def test_a_new_registration_is_waited_for(directory: Machine) -> None:
    late = "ERROR: Resource 'x' does not exist or one of its queried reference-property objects are not present.\n"
    directory.plays(Part("az rest --method patch", complains=late, fails=1, times=1))
    ended = registers(directory)
    assert ended.code == 0
    assert [call for call in ended.calls if call.startswith("sleep")] == ["sleep 15"]


def test_who_may_not_register_is_told_who_can(directory: Machine) -> None:
    denied = "ERROR: (Authorization_RequestDenied) Insufficient privileges to complete the operation.\n"
    directory.plays(Part("az ad app create", complains=denied, fails=1))
    ended = registers(directory)
    assert (ended.code, "ERROR" in ended.sentence) == (1, False)
    assert ended.sentence.startswith("You may not make app registrations in this directory.")


def test_a_dry_run_calls_nothing(directory: Machine) -> None:
    ended = registers(directory, "--dry-run")
    assert (ended.code, ended.calls) == (0, ())
    assert len(shown(ended)) == 9
    assert ended.output.splitlines()[-1] == "<clientId>"


@pytest.mark.parametrize("missing", [0, 2, 4])
def test_everything_is_needed(directory: Machine, missing: int) -> None:
    ended = directory.runs("entra.sh", *OPTIONS[:missing], *OPTIONS[missing + 2 :])
    assert (ended.code, ended.calls) == (1, ())
    assert "are needed. See infra/entra.sh --help." in ended.sentence


@pytest.mark.parametrize("url", ["http://sso.vendor.net", "https://sso.vendor.net/", "sso.vendor.net", "https://"])
def test_an_address_that_is_none_is_refused(directory: Machine, url: str) -> None:
    ended = directory.runs("entra.sh", *OPTIONS[:3], url, *OPTIONS[4:])
    assert (ended.code, ended.calls) == (1, ())
    assert ended.sentence.startswith("--public-url must be an address")


# -- the Bicep beside it -----------------------------------------------------------------------------------------------

BICEP = ROOT / "infra" / "entra.bicep"


def test_both_ways_make_the_same_registration() -> None:
    bicep, script = BICEP.read_text(encoding="utf-8"), (ROOT / "infra" / "entra.sh").read_text(encoding="utf-8")
    guid = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
    assert {*guid.findall(bicep)} == {*guid.findall(script)} == {*PERMISSIONS.values(), GRAPH}
    paths = {*re.findall(r"\$\{address\}(/[^']+)'", bicep)}
    assert paths == {*LOCAL.redirect_paths, LOCAL.front_channel_logout_path}
    (listed,) = re.findall(r"var optionalClaims = \[(.*?)\]", bicep, re.DOTALL)
    assert {*re.findall(r"'(\w+)'", listed)} == {*re.findall(r'\{"name": "(\w+)"\}', script)}
