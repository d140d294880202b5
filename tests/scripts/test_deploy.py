"""infra/deploy.sh: what it calls when all goes well, and what it says when something does not."""

import json
import os
import re

import pytest

from local.processes import ROOT
from tests.infra.plans import ROLE_ASSIGNMENT, Infra
from tests.scripts.az_says import (
    DENIED,
    FLEX_REFUSES,
    MISSING_OPTION,
    NO_BICEP,
    NO_GROUP,
    NO_HOST_KEY,
    NO_SECRET,
    NOT_REPLICATED,
    NOT_SIGNED_IN,
    PROBED,
    UNHEALTHY,
    UNKNOWN_COMMAND,
    UNKNOWN_OPTION,
    UNREACHABLE,
    ZIP_REFUSED,
    ZIP_UNDER_WAY,
    ZIPPED,
    Said,
    error,
    from_a_deployment,
    from_arm,
    from_rest,
    warning,
)
from tests.scripts.conftest import (
    APP_SETTINGS,
    CLIENT_ID,
    DEPLOYED,
    GROUP,
    PARTS,
    PRINCIPAL,
    PROVIDERS,
    PSEUDONYM_KEY,
    REMEMBER_KEY,
    ROLES,
    SUBSCRIPTION,
    TENANT,
    WELL,
    Ended,
    Machine,
    Part,
    directory,
    lines,
    shown,
)
from tests.support.wire import silent_port

OPTIONS = ("--resource-group", GROUP, "--location", "westeurope", "--environment", "dev")
ZIP = "az functionapp deployment source config-zip"
ARM = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUP}/providers"


def deploys(machine: Machine, *more: str) -> Ended:
    return machine.runs("deploy.sh", *OPTIONS, "--yes", *more)


def refused(machine: Machine, *more: str) -> str:
    """The sentence of a deployment that must fail."""
    ended = deploys(machine, *more)
    assert ended.code == 1, ended.output
    for noise in ("ERROR", "WARNING", "Traceback", "line "):
        assert noise not in ended.sentence
    return ended.sentence


def of_the_service(ended: Ended) -> list[str]:
    """The calls of the main deployment, without what leads to it."""
    return [call for call in ended.calls if "--name azure-sso-dev " in call]


# -- all goes well -----------------------------------------------------------------------------------------------------


EXPECTED = r"""
az version --query "azure-cli" --output tsv
az bicep version
az account show --query [id, tenantId, user.name, user.type] --output tsv
az group show --name rg-sso --query location --output tsv
az cloud show --query endpoints.[activeDirectory, microsoftGraphResourceId] --output tsv
az rest --method get --url {arm}/Microsoft.Authorization/permissions?api-version=2022-04-01
  --query value[].join('|', [join(',', actions), join(',', notActions)]) --output tsv
az rest --method get --headers ConsistencyLevel=eventual
  --url {roles}?$count=true&$select=roleTemplateId
  --query value[].roleTemplateId --output tsv
az functionapp list-flexconsumption-locations --query [].name --output tsv
az provider list --query [?registrationState=='Registered'].namespace --output tsv

az deployment group create --resource-group rg-sso --name azure-sso-dev-identity --template-file infra/identity.bicep
  --parameters environmentName=dev location=westeurope
  --query properties.outputs.[identityPrincipalId.value, functionAppName.value, keyVaultName.value, publicUrl.value]
  --output tsv

az deployment group create --resource-group rg-sso --name azure-sso-dev-entra --template-file infra/entra.bicep
  --parameters publicUrl={url} identityPrincipalId={principal} displayName=Azure SSO (dev)
  --query properties.outputs.clientId.value --output tsv

az rest --method get --query name --output tsv
  --url {arm}/Microsoft.KeyVault/vaults/kv-sso-dev-x/secrets/pseudonym-key?api-version=2023-07-01
az rest --method get --query name --output tsv
  --url {arm}/Microsoft.KeyVault/vaults/kv-sso-dev-x/secrets/remember-key?api-version=2023-07-01
az deployment group what-if --resource-group rg-sso --name azure-sso-dev --template-file infra/main.bicep
  --parameters @infra/dev.parameters.json location=westeurope publicUrl={url} entraClientId={client}
  createPseudonymKey=true createRememberKey=true
az deployment group create --resource-group rg-sso --name azure-sso-dev --template-file infra/main.bicep
  --parameters @infra/dev.parameters.json location=westeurope publicUrl={url} entraClientId={client}
  createPseudonymKey=true createRememberKey=true --query properties.provisioningState --output tsv

az rest --method get
  --url {arm}/Microsoft.Authorization/roleAssignments?api-version=2022-04-01&$filter=principalId eq '{principal}'
  --query value[].properties.roleDefinitionId --output tsv

make zip
az functionapp deployment source config-zip --resource-group rg-sso --name func-sso-dev-x
  --src dist/azure-sso.zip --build-remote true --output none
"""
"""What the happy path calls, without quotes; a line that is indented goes on with the one before."""


def expected(url: str) -> list[str]:
    roles = "https://graph.microsoft.com/v1.0/me/transitiveMemberOf/microsoft.graph.directoryRole"
    text = EXPECTED.format(arm=ARM, roles=roles, url=url, principal=PRINCIPAL, client=CLIENT_ID)
    return [line for line in text.replace("\n  ", " ").splitlines() if line]


def test_from_an_empty_group_to_a_healthy_service(machine: Machine) -> None:
    ended = deploys(machine)
    assert (ended.code, ended.sentence) == (0, "")
    assert [*ended.calls] == expected(machine.app.url)
    assert machine.app.asked == ["/health", "/health/cookie"]
    assert "Resource changes: 21 to create." in ended.output
    assert ended.output.endswith(f"The service is well at {machine.app.url}. Its client id is {CLIENT_ID}.\n")


def test_run_again_it_keeps_the_secrets(machine: Machine) -> None:
    """Whether the function app is there does not matter: somebody may have deleted it and kept the vault."""
    machine.plays(
        Part(APP_SETTINGS), Part(PSEUDONYM_KEY, lines("pseudonym-key")), Part(REMEMBER_KEY, lines("remember-key"))
    )
    ended = deploys(machine)
    assert ended.code == 0
    assert len(of_the_service(ended)) == 2
    assert all("createPseudonymKey=false createRememberKey=false" in call for call in of_the_service(ended))


def test_a_deployment_from_before_there_was_a_remember_key_gets_one_and_keeps_the_other(machine: Machine) -> None:
    machine.plays(Part(PSEUDONYM_KEY, lines("pseudonym-key")), Part(REMEMBER_KEY, complains=NO_SECRET, fails=1))
    ended = deploys(machine)
    assert all("createPseudonymKey=false createRememberKey=true" in call for call in of_the_service(ended))


def test_a_tile_is_handed_on_to_whatever_makes_the_registration(machine: Machine) -> None:
    (made,) = [call for call in deploys(machine, "--tile", "unite").calls if "--name azure-sso-dev-entra " in call]
    assert " displayName=Azure SSO (dev) tileApplication=unite --query " in made
    dry = machine.runs("deploy.sh", *OPTIONS, "--entra", "script", "--tile", "unite", "--dry-run")
    assert '/signin/start?application=unite"' in dry.output
    refused = machine.runs("deploy.sh", *OPTIONS, "--tile", "no name")
    assert (refused.code, refused.sentence) == (1, "--tile must be the client id of an application.")


def test_a_vault_without_a_pseudonym_key_gets_one(machine: Machine) -> None:
    machine.plays(Part(PSEUDONYM_KEY, complains=NO_SECRET, fails=1))
    assert all("createPseudonymKey=true" in call for call in of_the_service(deploys(machine)))


@pytest.mark.parametrize("secret", [PSEUDONYM_KEY, REMEMBER_KEY])
def test_a_secret_that_cannot_be_looked_for_is_not_replaced(machine: Machine, secret: str) -> None:
    machine.plays(Part(secret, complains=from_arm("InternalServerError", "Try later."), fails=1))
    ended = deploys(machine)
    assert ended.code == 1
    assert ended.sentence.startswith("Whether this was deployed before cannot be seen. az says:\n  | ERROR: (Internal")
    assert of_the_service(ended) == []


def test_a_dry_run_calls_nothing_and_prints_what_a_run_calls(machine: Machine) -> None:
    ran = deploys(machine)
    dry = machine.runs("deploy.sh", *OPTIONS, "--dry-run")
    assert (dry.code, dry.calls) == (0, ())
    known = {
        "https://<functionAppName>.azurewebsites.net": machine.app.url,
        "<functionAppName>": "func-sso-dev-x",
        "<identityPrincipalId>": PRINCIPAL,
        "<subscriptionId>": SUBSCRIPTION,
        "<keyVaultName>": "kv-sso-dev-x",
        "<clientId>": CLIENT_ID,
        "timeout 1200 ": "",
    }
    pattern = "|".join(map(re.escape, known))
    *commands, health, cookie = [re.sub(pattern, lambda found: known[found[0]], line) for line in shown(dry)]
    assert commands == [*ran.calls]
    curl = "curl --silent --show-error --max-time 30"
    assert health == f"{curl} {machine.app.url}/health"
    assert cookie == f"{curl} --dump-header - --output /dev/null {machine.app.url}/health/cookie"


@pytest.mark.parametrize("entra", ["script", CLIENT_ID])
def test_every_way_to_a_registration_has_its_dry_run(machine: Machine, entra: str) -> None:
    dry = machine.runs("deploy.sh", *OPTIONS, "--entra", entra, "--dry-run")
    assert (dry.code, dry.sentence, dry.calls) == (0, "", ())
    assert not any("infra/entra.bicep" in line for line in shown(dry))
    assert any("az ad app federated-credential" in line for line in shown(dry))


def test_the_registration_can_be_made_by_the_script(machine: Machine) -> None:
    machine.parts += directory()
    ended = deploys(machine, "--entra", "script")
    assert (ended.code, ended.sentence) == (0, "")
    assert all(f"entraClientId={CLIENT_ID}" in call for call in of_the_service(ended))
    assert "Its credential is the managed identity" in ended.output


def test_the_script_fixes_the_registration_that_the_deployed_app_has(machine: Machine) -> None:
    """And looks for none by its name."""
    machine.plays(Part(f"{APP_SETTINGS} … SSO_ENTRA_CLIENT_ID", lines(CLIENT_ID)))
    machine.parts += directory()
    ended = deploys(machine, "--entra", "script")
    assert (ended.code, ended.sentence) == (0, "")
    assert sum(f"/applications(appId='{CLIENT_ID}') " in call for call in ended.calls) == 1
    assert not any("uniqueName" in call or call.startswith("az ad app list") for call in ended.calls)


def test_a_credential_that_was_made_a_moment_ago_is_waited_for(machine: Machine) -> None:
    machine.plays(
        Part("az ad app federated-credential list", times=1),
        Part("az ad app federated-credential list", lines(PRINCIPAL)),
    )
    ended = deploys(machine, "--entra", CLIENT_ID)
    assert ended.code == 0
    assert [call for call in ended.calls if call.startswith("sleep")] == ["sleep 15"]


def test_a_registration_that_is_there_is_left_as_it_is(machine: Machine) -> None:
    machine.plays(Part("az ad app federated-credential list", lines("another", PRINCIPAL)))
    ended = deploys(machine, "--entra", CLIENT_ID)
    assert ended.code == 0
    assert not any("directoryRole" in call for call in ended.calls), "no right to make one is needed"


def test_a_custom_domain_is_told_to_every_stage(machine: Machine) -> None:
    assert deploys(machine, "--public-url", "https://sso.vendor.net").code == 0
    (identity,) = [
        call for call in deploys(machine, "--public-url", "https://sso.vendor.net").calls if "-identity " in call
    ]
    assert " publicUrl=https://sso.vendor.net " in identity


def test_entra_is_given_time_to_spread_the_news(machine: Machine) -> None:
    late = from_a_deployment("NotFound", NOT_REPLICATED)
    machine.plays(Part("az deployment group create … azure-sso-dev-entra", complains=late, fails=1, times=2))
    ended = deploys(machine)
    assert ended.code == 0
    assert [call for call in ended.calls if call.startswith("sleep")] == ["sleep 15", "sleep 30"]
    assert "Entra has not spread the news" in ended.output


def test_roles_are_waited_for(machine: Machine) -> None:
    machine.plays(Part("az rest … /roleAssignments?", lines(f"/x/{ROLES[0]}"), times=3))
    ended = deploys(machine)
    assert ended.code == 0
    assert [call for call in ended.calls if call.startswith("sleep")] == ["sleep 5", "sleep 10", "sleep 20"]


@pytest.mark.parametrize("found", [UNHEALTHY, NO_HOST_KEY, UNREACHABLE], ids=["unhealthy", "no key", "unreachable"])
def test_a_failed_probe_after_a_good_deployment_does_no_harm(machine: Machine, found: Said) -> None:
    """In a pipeline, too, which hides the warnings that say how far az came."""
    machine.plays(Part(ZIP, complains=PROBED.text + found.text, fails=1))
    ended = deploys(machine)
    assert (ended.code, ended.sentence) == (0, "")
    assert "az doubts that the app is well." in ended.output


def test_a_cold_start_is_waited_for(machine: Machine) -> None:
    machine.app.answers = [(404, {}), (503, {"status": "degraded", "parts": {"storage": "down"}}), (200, WELL)]
    ended = deploys(machine)
    assert ended.code == 0
    assert "Not well yet (status 503; down: storage). Asking again in 10 s." in ended.output
    assert machine.app.asked == ["/health"] * 3 + ["/health/cookie"]


# -- somebody is asked -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("reply", "code"), [(b"y\n", 0), (b"\n", 1), (b"n\n", 1)], ids=["yes", "nothing", "no"])
def test_whoever_runs_it_confirms_what_will_change(machine: Machine, reply: bytes, code: int) -> None:
    master, terminal = os.openpty()
    os.write(master, reply)
    ended = machine.runs("deploy.sh", *OPTIONS, stdin=terminal)
    os.close(terminal)
    os.close(master)
    assert ended.code == code
    assert len(of_the_service(ended)) == (2 if code == 0 else 1), "the preview comes first"
    assert ("Nothing was changed but the identity" in ended.sentence) is (code == 1)


def test_nobody_is_taken_for_a_yes(machine: Machine) -> None:
    ended = machine.runs("deploy.sh", *OPTIONS)
    assert (ended.code, ended.calls) == (1, ())
    assert ended.sentence == ("Nobody is here to confirm what will change. Run this in a terminal, or with --yes.")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ((), "--resource-group and --location are needed"),
        ((*OPTIONS, "--environment", "test"), "--environment must be dev or prod"),
        ((*OPTIONS, "--entra", "perhaps"), "--entra must be bicep, script, or the client id"),
        ((*OPTIONS, "--public-url", "http://sso.vendor.net"), "--public-url must be an address"),
        ((*OPTIONS, "--public-url", "https://sso.vendor.net/"), "without a slash at its end"),
        ((*OPTIONS, "--location"), "--location needs a value. See infra/deploy.sh --help."),
    ],
)
def test_an_option_that_makes_no_sense_is_told(machine: Machine, options: tuple[str, ...], sentence: str) -> None:
    ended = machine.runs("deploy.sh", *options, "--yes")
    assert (ended.code, ended.calls) == (1, ())
    assert sentence in ended.sentence


# -- something does not go well ----------------------------------------------------------------------------------------


def test_not_signed_in(machine: Machine) -> None:
    machine.plays(Part("az account show", complains=NOT_SIGNED_IN.text, fails=1))
    assert refused(machine) == "Nobody is signed in to Azure, or no longer. Run: az login"


@pytest.mark.parametrize(
    ("command", "version", "sentence"),
    [
        ("az version", "2.59.0", "az 2.59.0 is too old: 2.60.0 or newer is needed. Run: az upgrade"),
        (
            "az bicep version",
            "Bicep CLI version 0.36.0 (x)",
            "Bicep 0.36.0 does not know the Microsoft Graph extension",
        ),
    ],
)
def test_tools_that_are_too_old(machine: Machine, command: str, version: str, sentence: str) -> None:
    machine.plays(Part(command, lines(version)))
    assert sentence in refused(machine)


def test_without_bicep(machine: Machine) -> None:
    machine.plays(Part("az bicep version", complains=NO_BICEP.text, fails=1))
    assert refused(machine) == "Bicep is missing. Run: az bicep install"


@pytest.mark.parametrize("value", ["<your panel's issuer>", "https://panel.example", "https://panel.example.com/x"])
def test_placeholders_that_were_left(machine: Machine, value: str) -> None:
    text = json.dumps({"parameters": {"controlPanelIssuer": {"value": value}}})
    (machine.folder / "infra" / "dev.parameters.json").write_text(text)
    ended = deploys(machine)
    assert ended.code == 1
    assert ended.sentence.startswith("infra/dev.parameters.json still holds placeholders. Put your own values")
    assert value in ended.sentence


def test_a_group_that_is_not_there(machine: Machine) -> None:
    machine.plays(Part("az group show", complains=NO_GROUP, fails=3))
    assert f"Make it first: az group create --name {GROUP} --location westeurope." in refused(machine)


CONTRIBUTOR = "*|Microsoft.Authorization/*/Delete,Microsoft.Authorization/*/Write,Microsoft.Blueprint/*/write"
ACCESS_ADMINISTRATOR = "*/read,Microsoft.Authorization/roleAssignments/write|"


@pytest.mark.parametrize(
    ("permissions", "sentence"),
    [
        (["*/read|"], "You may not deploy into rg-sso (Microsoft.Resources/deployments/write is missing)."),
        ([CONTRIBUTOR], "You may not assign roles in rg-sso"),
        ([ACCESS_ADMINISTRATOR], "You may not deploy into rg-sso"),
    ],
    ids=["reader", "contributor", "access administrator"],
)
def test_rights_that_are_missing(machine: Machine, permissions: list[str], sentence: str) -> None:
    machine.plays(Part("az rest … /permissions?", lines(*permissions)))
    assert refused(machine).startswith(sentence)


def test_two_roles_together_are_enough(machine: Machine) -> None:
    machine.plays(Part("az rest … /permissions?", lines(CONTRIBUTOR, ACCESS_ADMINISTRATOR)))
    assert deploys(machine).code == 0


@pytest.mark.parametrize("allowed", ["true", "false"])
def test_who_seems_not_to_be_allowed_registrations_hears_it_and_goes_on(machine: Machine, allowed: str) -> None:
    """A role that the directory made for itself allows it, too, and is not seen."""
    machine.plays(Part("az rest … directoryRole"), Part("az rest … authorizationPolicy", lines(allowed)))
    ended = deploys(machine)
    assert ended.code == 0
    assert ("It seems that you may not make app registrations" in ended.output) is (allowed == "false")


def test_who_may_not_make_app_registrations_is_told_who_can(machine: Machine) -> None:
    machine.plays(Part(ENTRA, complains=from_a_deployment("Forbidden", DENIED), fails=1))
    assert refused(machine).startswith("You may not make app registrations in this directory.")


def test_a_pipeline_finds_out_whether_it_may_make_app_registrations(machine: Machine) -> None:
    machine.plays(Part("az account show", lines(SUBSCRIPTION, TENANT, CLIENT_ID, "servicePrincipal")))
    ended = deploys(machine)
    assert ended.code == 0
    assert "whether it may make app registrations is not checked" in ended.output


CHECKS = [
    "az rest … /permissions?",
    "az rest … directoryRole",
    "az functionapp list-flexconsumption-locations",
    "az provider list",
]


HIDDEN = from_arm("AuthorizationFailed", "The client may not read.")
UNSUPPORTED = from_rest("Bad Request", "Request_UnsupportedQuery", "The request uses OData cast query parameter.")


@pytest.mark.parametrize(
    ("check", "complaint"),
    [*((check, HIDDEN) for check in CHECKS), (CHECKS[1], UNSUPPORTED), (CHECKS[2], UNKNOWN_COMMAND.text)],
)
def test_a_check_that_cannot_be_made_stops_nothing(machine: Machine, check: str, complaint: str) -> None:
    """Rights in the resource group alone are enough."""
    machine.plays(Part(check, complains=complaint, fails=1))
    ended = deploys(machine)
    assert ended.code == 0
    assert "That is not checked." in ended.output


def test_a_region_without_flex_consumption(machine: Machine) -> None:
    machine.plays(Part("az functionapp list-flexconsumption-locations", lines("uksouth", "northeurope")))
    told = "Azure does not offer Flex Consumption in westeurope. It does in: northeurope uksouth"
    assert refused(machine) == told


def test_providers_that_are_not_registered(machine: Machine) -> None:
    machine.plays(Part("az provider list", lines(*(name for name in PROVIDERS if name != "Microsoft.App"))))
    assert refused(machine).endswith("run once:\n  az provider register --namespace Microsoft.App --wait")


ENTRA = "az deployment group create … --name azure-sso-dev-entra "


@pytest.mark.parametrize(
    ("complaint", "sentence"),
    [
        (
            "This application '04b07795' isn't authorized to call Microsoft Graph using a Bicep template.",
            "The Microsoft Graph extension of Bicep cannot be used here.",
        ),
        (
            'Error BCP192: Unable to restore the artifact with reference "br:mcr.microsoft.com/bicep/extensions/x".',
            "run this again with --entra script.",
        ),
        (
            from_a_deployment("Forbidden", DENIED),
            "You may not make app registrations in this directory.",
        ),
    ],
    ids=["application", "restore", "privileges"],
)
def test_a_graph_extension_that_is_refused(machine: Machine, complaint: str, sentence: str) -> None:
    machine.plays(Part(ENTRA, complains=f"ERROR: {complaint}\n", fails=1))
    assert sentence in refused(machine)


def test_entra_that_never_spreads_the_news(machine: Machine) -> None:
    machine.plays(Part(ENTRA, complains=from_a_deployment("NotFound", NOT_REPLICATED), fails=1))
    ended = deploys(machine)
    assert ended.code == 1
    assert "--entra script makes it without the Graph extension. az says:\n  | ERROR: {" in ended.sentence
    assert sum(call.startswith("sleep") for call in ended.calls) == 4


def test_a_registration_that_trusts_somebody_else(machine: Machine) -> None:
    machine.plays(Part("az ad app federated-credential list", lines("another")))
    ended = deploys(machine, "--entra", CLIENT_ID)
    assert sum(call.startswith("sleep") for call in ended.calls) == 2, "it may have been made a moment ago"
    told = refused(machine, "--entra", CLIENT_ID)
    assert f"The app registration {CLIENT_ID} does not trust the identity of this service." in told
    assert f"infra/entra.sh --client-id {CLIENT_ID} --display-name 'Azure SSO (dev)'" in told


IN_DELETED_STATE = "ERROR: (ConflictError) A vault with the same name already exists in deleted state.\n"


@pytest.mark.parametrize("when", [DEPLOYED, "az deployment group what-if"], ids=["deployment", "preview"])
def test_a_vault_that_was_deleted_is_brought_back(machine: Machine, when: str) -> None:
    machine.plays(Part(when, complains=IN_DELETED_STATE, fails=1))
    told = refused(machine)
    assert told.endswith(f"az keyvault recover --name kv-sso-dev-x --location westeurope --resource-group {GROUP}")


@pytest.mark.parametrize(
    ("complaint", "sentence"),
    [
        (
            "(AuthorizationFailed) The client may not perform 'Microsoft.Authorization/roleAssignments/write'",
            "You may not assign roles in this resource group.",
        ),
        (
            "(AuthorizationFailed) The client may not 'Microsoft.Web/x/write'",
            "You lack a right in this resource group.",
        ),
        ("RoleAssignmentUpdateNotPermitted: Tenant ID, application ID", "Role assignments of an identity that is gone"),
        ("StorageAccountAlreadyTaken: The storage account named x is", "A name that this deployment needs is taken"),
        ("(MissingSubscriptionRegistration) namespace 'Microsoft.App'", "The subscription lacks a resource provider."),
        ("SubscriptionIsOverQuotaForSku: additional quota", "The subscription's quota for Flex Consumption"),
        ("(DeploymentActive) Unable to edit", "Another run of this deployment is still under way."),
        ("(ScopeLocked) The scope is locked", "A lock protects this resource group."),
        (UNREACHABLE.text, "Azure cannot be reached from here."),
        (FLEX_REFUSES, "Flex Consumption refuses a property of the function app's siteConfig: ftpsState. Your"),
        (
            FLEX_REFUSES.replace("ftpsState", "AlwaysOn"),
            "Flex Consumption refuses a property of the function app's siteConfig: AlwaysOn. Your",
        ),
        (UNKNOWN_OPTION.text, "This az does not know what it is asked for. Run az upgrade, and this again."),
        (MISSING_OPTION.text, "This az does not know what it is asked for."),
    ],
)
def test_a_deployment_that_fails_for_a_reason_that_is_known(machine: Machine, complaint: str, sentence: str) -> None:
    machine.plays(Part(DEPLOYED, complains=f"ERROR: {complaint}\n", fails=1))
    assert refused(machine).startswith(sentence)


def test_what_nobody_foresaw_is_told_in_azs_own_words(machine: Machine) -> None:
    machine.plays(Part(DEPLOYED, complains=warning("a new Bicep") + error("Something new."), fails=1))
    ended = deploys(machine)
    assert (ended.code, ended.sentence) == (1, "The deployment failed. az says:\n  | ERROR: Something new.")


def test_digits_of_an_id_are_no_error_code(machine: Machine) -> None:
    for tracking in ("3a51021b-0000-4000-8000-000000000000", "00000000-0000-4000-8000-51021-0000", "20251021T09"):
        machine.plays(Part(DEPLOYED, complains=from_arm("Conflict", f"Tracking id: {tracking}"), fails=1))
        assert deploys(machine).sentence.startswith("The deployment failed. az says:")


def test_an_answer_that_is_cut_short(machine: Machine) -> None:
    machine.plays(Part("az deployment group create … -identity ", lines(PRINCIPAL)))
    assert refused(machine) == "az does not tell the app that it was asked for. Run az upgrade, and this again."


def test_roles_that_are_never_seen(machine: Machine) -> None:
    machine.plays(Part("az rest … /roleAssignments?", lines(*(f"/x/{role}" for role in ROLES[1:]))))
    assert refused(machine).startswith(
        "Azure does not show what the service's identity was given: Storage Blob Data Owner."
    )


def test_another_package_that_is_on_its_way(machine: Machine) -> None:
    machine.plays(Part(ZIP, complains=ZIPPED.text + ZIP_UNDER_WAY.text, fails=1))
    assert refused(machine) == "Another package is being deployed. Wait until that has ended, and run this again."


def test_a_package_that_is_not_taken(machine: Machine) -> None:
    machine.plays(Part(ZIP, complains=ZIPPED.text + ZIP_REFUSED.text, fails=1))
    ended = deploys(machine)
    assert ended.code == 1
    assert ended.sentence.startswith("The package was not taken. az says:")
    assert machine.app.asked == [], "old code that is well proves nothing"


@pytest.mark.parametrize(
    ("part", "sentence"),
    [
        ("storage", "The tables cannot be reached. A role that was just assigned can take ten minutes"),
        ("signingKeys", "Key Vault cannot be reached."),
        ("entra", "Microsoft Entra ID cannot be reached from the service. Check SSO_ENTRA_AUTHORITY"),
        ("controlPanel", "Check controlPanelIssuer in infra/dev.parameters.json."),
        ("credential", f"issuer https://login.microsoftonline.com/{TENANT}/v2.0, subject {PRINCIPAL}."),
        ("somethingNew", "See the log of the function app for what it says of somethingNew."),
    ],
)
def test_a_part_that_stays_down(machine: Machine, part: str, sentence: str) -> None:
    down = {"status": "degraded", "parts": {**PARTS, part: "down"}}
    machine.app.answers = [(503 if part == "storage" else 200, down)]
    told = refused(machine)
    assert told.startswith(f"The service runs, but is not well:\n  {part}: ")
    assert sentence in told


def test_a_service_that_does_not_check_its_credential(machine: Machine) -> None:
    machine.app.answers = [(200, {"status": "ok", "parts": {"storage": "ok"}})]
    assert "SSO_ENTRA_HOME_TENANT is not set." in refused(machine)


def test_settings_that_are_wrong_are_named_at_once(machine: Machine) -> None:
    faults = [{"field": "SSO_PUBLIC_URL", "detail": "x"}, {"field": "SSO_PSEUDONYM_KEY", "detail": "y"}]
    machine.app.answers = [(503, {"status": "misconfigured", "faults": faults})]
    assert refused(machine).startswith("The service says that settings are wrong: SSO_PUBLIC_URL SSO_PSEUDONYM_KEY.")
    assert machine.app.asked == ["/health"]


def test_an_app_without_functions(machine: Machine) -> None:
    machine.plays(Part(ZIP, complains=PROBED.text + UNHEALTHY.text, fails=1))
    machine.app.answers = [(404, {})]
    told = refused(machine)
    assert told.startswith("The app runs without functions: its code could not be imported")
    assert told.endswith('see "The app does not start" in docs/operations.md.')


def test_an_app_that_breaks(machine: Machine) -> None:
    machine.app.answers = [(502, {})]
    assert refused(machine).startswith(f"{machine.app.url}/health answers 502.")


def test_nobody_at_the_address(machine: Machine) -> None:
    with silent_port() as port:
        pass
    machine.plays(
        Part(
            "az deployment group create … -identity ",
            lines(PRINCIPAL, "func-sso-dev-x", "kv-sso-dev-x", f"http://127.0.0.1:{port}"),
        )
    )
    told = refused(machine)
    assert told.startswith(f"Nobody answers at http://127.0.0.1:{port}/health. If this is a custom domain")


# -- the Bicep beside it -----------------------------------------------------------------------------------------------

MADE = [each for plan in Infra.read().plans.values() for each in plan.resources]
SCRIPT = "".join((ROOT / "infra" / name).read_text(encoding="utf-8") for name in ("deploy.sh", "preflight.sh"))

WITHOUT_REGISTRATION = {"Microsoft.Authorization", "Microsoft.Graph"}
"""Every subscription has the one, and the other is no resource provider."""

BESIDE_THE_BICEP = {"Microsoft.App", "Microsoft.AlertsManagement"}
"""What runs Flex Consumption, and where Application Insights puts a rule of its own."""


def test_it_looks_for_the_providers_of_what_is_made_and_no_other() -> None:
    (listed,) = re.findall(r"^readonly providers=\(([^)]+)\)", SCRIPT, re.MULTILINE)
    made = {each.kind.partition("/")[0] for each in MADE}
    assert {*listed.split()} == made - WITHOUT_REGISTRATION | BESIDE_THE_BICEP


def test_it_waits_for_the_roles_that_are_assigned_and_no_other() -> None:
    assigned = {each.at("properties.roleDefinitionId")[-36:] for each in MADE if each.kind == ROLE_ASSIGNMENT}
    assert assigned == {*ROLES}
    awaited = re.findall(r"^  \[([0-9a-f-]{36})\]=", SCRIPT, re.MULTILINE)
    assert {*awaited} == {*ROLES}


def test_it_looks_for_the_secrets_that_are_made() -> None:
    made = {each.name for each in MADE if each.kind == "Microsoft.KeyVault/vaults/secrets"}
    assert made == {"pseudonym-key", "remember-key", "remember-key-before"}
    looked_for = re.findall(r"\b\w+_secret=([\w-]+)", SCRIPT)
    assert {*looked_for} == made - {"remember-key-before"}, "which is made together with the other"
