"""The app's managed identity as a federated credential of its app registration: no secret anywhere.

Source: https://learn.microsoft.com/entra/workload-id/workload-identity-federation-config-app-trust-managed-identity
"""

from typing import TYPE_CHECKING

from shared.adapters.entra.msal_clients import Assertion
from shared.kernel.refusals import Unavailable

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential


def managed_identity_assertion(identity: "AsyncTokenCredential", audience: str) -> Assertion:
    """Gets assertions of the identity, each of which azure-identity keeps until it is about to expire.

    Args:
        identity: the user-assigned managed identity.
        audience: of the federated credential, such as `api://AzureADTokenExchange`.
    """

    async def assertion() -> str:
        from azure.core.exceptions import AzureError

        try:
            return (await identity.get_token(f"{audience}/.default")).token
        except AzureError as error:
            raise Unavailable(
                "The managed identity of this service does not respond. Try again in a few seconds.", retry_after=30
            ) from error

    return assertion
