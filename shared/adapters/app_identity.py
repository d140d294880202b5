"""The app's user-assigned managed identity, as a credential for the Azure SDKs.

azure-identity depends on MSAL, requests and aiohttp, which take longer to import than the rest of the app: it is
imported for the first token, not at start.
"""

from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from azure.core.credentials import AccessToken
    from azure.identity.aio import ManagedIdentityCredential


class AppIdentity:
    """Proves the app's identity. Its connections belong to the event loop of the first call.

    Args: `client_id`, of the managed identity.
    """

    def __init__(self, client_id: str | None) -> None:
        self._client_id = client_id
        self._credential: ManagedIdentityCredential | None = None

    async def get_token(self, *scopes: str, **options: Any) -> "AccessToken":
        """See `azure.core.credentials_async.AsyncTokenCredential`."""
        if self._credential is None:
            from azure.identity.aio import ManagedIdentityCredential

            self._credential = ManagedIdentityCredential(client_id=self._client_id)
        token: AccessToken = await self._credential.get_token(*scopes, **options)
        return token

    async def close(self) -> None:
        """Close the connections."""
        if self._credential is not None:
            await self._credential.close()
            self._credential = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None = None,
        error: BaseException | None = None,
        trace: TracebackType | None = None,
    ) -> None:
        await self.close()
