"""What az and the services behind it write on standard error, to the letter, and where each text comes from.

The stand-in plays these. `make check-az` looks each one up in the az that is installed, so that a text that az no
longer writes fails there and not in front of an operator. What az only passes on from Azure names the page or the
report that shows it instead.
"""

import json
from dataclasses import dataclass


@dataclass(frozen=True)
class Said:
    """A text that az writes.

    Args:
        text: what is on standard error, with its line end.
        module: the module of azure-cli, or of what it depends on, that holds the words.
        words: what stands there as string constants, to the letter.
    """

    text: str
    module: str
    words: tuple[str, ...]


def error(text: str) -> str:
    return f"ERROR: {text}\n"


def warning(text: str) -> str:
    return f"WARNING: {text}\n"


# -- az itself ---------------------------------------------------------------------------------------------------------

NOT_SIGNED_IN = Said(
    error("Please run 'az login' to setup account."),
    "azure.cli.core._profile",
    ("Please run 'az login' to setup account.",),
)
NO_BICEP = Said(
    error('Bicep CLI not found. Install it now by running "az bicep install".'),
    "azure.cli.command_modules.resource._bicep",
    ('Bicep CLI not found. Install it now by running "az bicep install".',),
)
UNKNOWN_OPTION = Said(
    error("unrecognized arguments: --build-remote true"),
    "argparse",
    ("unrecognized arguments: %s",),
)
UNKNOWN_COMMAND = Said(
    error("'list-flexconsumption-locations' is misspelled or not recognized by the system."),
    "azure.cli.core.parser",
    ("'{value}' is misspelled or not recognized by the system.",),
)
MISSING_OPTION = Said(
    error("the following arguments are required: --src"),
    "argparse",
    ("the following arguments are required: %s",),
)

_APPSERVICE = "azure.cli.command_modules.appservice.custom"

ZIPPED = Said(
    warning("Getting scm site credentials for zip deployment")
    + warning("Starting zip deployment. This operation can take a while to complete ...")
    + warning("Deployment endpoint responded with status code 202 for deployment id d1"),
    _APPSERVICE,
    (
        "Getting scm site credentials for zip deployment",
        "Starting zip deployment. This operation can take a while to complete ...",
        "Deployment endpoint responded with status code %d for deployment id %s",
    ),
)
PROBED = Said(
    ZIPPED.text + warning("Waiting for sync triggers...") + warning("Checking the health of the function app"),
    _APPSERVICE,
    (*ZIPPED.words, "Waiting for sync triggers...", "Checking the health of the function app"),
)
UNHEALTHY = Said(
    error("Deployment was successful but the app appears to be unhealthy. Please check the app logs."),
    _APPSERVICE,
    ("Deployment was successful but the app appears to be unhealthy. Please check the app logs.",),
)
NO_HOST_KEY = Said(
    error("Failed to fetch host key to check for function app status"),
    _APPSERVICE,
    ("Failed to fetch host key to check for function app status",),
)
ZIP_REFUSED = Said(
    error("An error occured during deployment. Status Code: 503, Details: Service Unavailable"),
    _APPSERVICE,
    ("An error occured during deployment. Status Code: {}, Details: {}",),
)
ZIP_UNDER_WAY = Said(
    error(
        "There may be an ongoing deployment. Please track your deployment in "
        "https://func-sso-dev-x.scm.azurewebsites.net/api/deployments/latest"
    ),
    _APPSERVICE,
    ("There may be an ongoing deployment. Please track your deployment in {}",),
)
UNREACHABLE = Said(
    error(
        "HTTPSConnectionPool(host='management.azure.com', port=443): Max retries exceeded with url: /subscriptions "
        "(Caused by NewConnectionError('Failed to establish a new connection: [Errno 111] Connection refused'))"
    ),
    "urllib3.exceptions",
    ("Max retries exceeded with url: ",),
)

SAID = {name: value for name, value in globals().copy().items() if isinstance(value, Said)}
"""All of them, by their names here."""


# -- what az passes on -------------------------------------------------------------------------------------------------


def from_arm(code: str, message: str) -> str:
    """An error of Resource Manager, as azure-core's `ODataV4Format` writes it."""
    return error(f"({code}) {message}\nCode: {code}\nMessage: {message}")


def from_rest(reason: str, code: str, message: str) -> str:
    """An answer of 400 or more to `az rest`: reason phrase and body (`send_raw_request` in azure.cli.core.util).

    Graph's own codes: https://learn.microsoft.com/graph/resources-errors-error-codes.
    """
    return error(f"{reason}({json.dumps({'error': {'code': code, 'message': message}})})")


def from_a_deployment(code: str, message: str) -> str:
    """What one resource refused, wrapped by the deployment, as `az deployment group create` writes it."""
    failed = "At least one resource deployment operation failed. Please list deployment operations for details."
    wrapped = {
        "status": "Failed",
        "error": {"code": "DeploymentFailed", "message": failed, "details": [{"code": code, "message": message}]},
    }
    return error(json.dumps(wrapped))


NOT_REPLICATED = "Resource 'x' does not exist or one of its queried reference-property objects are not present."
"""Graph, of what it does not have, or does not have yet (msgraph-bicep-types issue 193)."""

DENIED = "Insufficient privileges to complete the operation."
"""Graph's Authorization_RequestDenied. `az ad` prints the message alone (`GraphError`), `az rest` the whole body."""

NO_GROUP = from_arm("ResourceGroupNotFound", "Resource group 'rg-sso' could not be found.")
NO_VAULT = from_rest("Not Found", "ResourceNotFound", "The Resource 'Microsoft.KeyVault/vaults/x' was not found.")
NO_SECRET = from_rest("Not Found", "SecretNotFound", "The secret pseudonym-key was not found in this key vault.")
NO_REGISTRATION = from_rest("Not Found", "Request_ResourceNotFound", NOT_REPLICATED)

FLEX_REFUSES = from_a_deployment(
    "BadRequest",
    json.dumps(
        {
            "Code": "BadRequest",
            "Message": "Site.SiteConfig.ftpsState is not supported for Flex Consumption sites.",
            "Details": [{"ErrorEntity": {"ExtendedCode": "51021", "Code": "BadRequest"}}],
        }
    ),
)
"""https://github.com/microsoft/azure-pipelines-tasks/issues/21032, in the shape that App Service gives its errors."""
