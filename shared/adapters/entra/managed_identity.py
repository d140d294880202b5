"""The app's managed identity as a federated credential of its app registration: no secret anywhere.

Source: https://learn.microsoft.com/entra/workload-id/workload-identity-federation-config-app-trust-managed-identity
"""

from collections.abc import Callable


def managed_identity_assertion(client_id: str, audience: str) -> dict[str, Callable[[], str]]:
    """A client credential for MSAL: an assertion of the identity, which azure-identity caches until it expires.

    Args:
        client_id: of the user-assigned managed identity.
        audience: of the federated credential, such as `api://AzureADTokenExchange`.
    """
    from azure.identity import ManagedIdentityCredential

    credential = ManagedIdentityCredential(client_id=client_id)

    def assertion() -> str:
        token: str = credential.get_token(f"{audience}/.default").token
        return token

    return {"client_assertion": assertion}
