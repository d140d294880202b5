"""MSAL's confidential clients: one per tenant, created once.

Creating a client costs a discovery request, so clients are kept, and concurrent callers for one tenant share one.
Neither tokens nor error responses are cached: we call MSAL for a proof that is valid now.
"""

import asyncio
from collections.abc import Awaitable, Callable
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from shared.adapters.web import Web
from shared.kernel.caches import BoundedCache
from shared.kernel.names import TenantId

if TYPE_CHECKING:
    from msal import ConfidentialClientApplication

    from shared.adapters.entra.msal_http import MsalHttp

    type _Making = asyncio.Future[ConfidentialClientApplication]

_TENANTS_REMEMBERED = 1_000

type Assertion = Callable[[], Awaitable[str]]
"""Gets an assertion of who the app is (RFC 7523), which is valid for some minutes at least."""

type ClientCredential = str | Assertion
"""A client secret, for development, or the app's managed identity."""


class MsalClients:
    """The clients of one app registration.

    Args:
        authority: Entra's authority host.
        client_id: of the app registration.
        credential: proves to Entra who the app is.
        web: sends MSAL's requests.
    """

    def __init__(self, *, authority: str, client_id: str, credential: ClientCredential, web: Web) -> None:
        self._authority = authority
        self._client_id = client_id
        self._web = web
        self._assert = None if isinstance(credential, str) else credential
        self._assertion = ""
        self._credential = credential if isinstance(credential, str) else {"client_assertion": lambda: self._assertion}
        self._clients: BoundedCache[TenantId, _Making] = BoundedCache(_TENANTS_REMEMBERED)

    async def call[T](self, tenant_id: TenantId, ask: "Callable[[ConfidentialClientApplication], T]") -> T:
        """Ask Entra by a tenant's client.

        Args:
            tenant_id: the tenant.
            ask: calls the client, and is called again for each request that the client sends.

        Raises:
            ValueError: MSAL does not find the tenant, or refuses the call.
            Unavailable: Entra does not respond in time, or the managed identity does not.
        """
        client = await self.client(tenant_id)
        assertion = await self._assert() if self._assert is not None else ""

        def call() -> T:
            self._assertion = assertion  # the same each time, whatever other calls have set meanwhile
            return ask(client)

        return await self._http.run(call)

    async def client(self, tenant_id: TenantId) -> "ConfidentialClientApplication":
        """A tenant's client, which knows the endpoints of the tenant.

        Raises:
            ValueError: MSAL does not find the tenant.
            Unavailable: Entra does not respond in time.
        """
        client = self._clients.get(tenant_id)
        if client is None:
            client = asyncio.ensure_future(self._http.run(partial(self._make, tenant_id)))
            client.add_done_callback(partial(self._drop_failed, tenant_id))
            self._clients.put(tenant_id, client)
        return await asyncio.shield(client)

    @cached_property
    def _http(self) -> "MsalHttp":
        """Imported for the first request, not at start."""
        from shared.adapters.entra.msal_http import MsalHttp

        return MsalHttp(self._web)

    def _drop_failed(self, tenant_id: TenantId, making: "_Making") -> None:
        failed = making.cancelled() or making.exception() is not None
        if failed and self._clients.get(tenant_id) is making:
            self._clients.drop(tenant_id)

    def _make(self, tenant_id: TenantId) -> "ConfidentialClientApplication":
        import msal

        return msal.ConfidentialClientApplication(
            self._client_id,
            client_credential=self._credential,
            authority=f"{self._authority}/{tenant_id}",
            instance_discovery=False,
            exclude_scopes=["offline_access"],
            http_client=self._http,
            token_cache=_no_token_cache(),
            http_cache=_NoHttpCache(),
        )


class _NoHttpCache(dict[str, Any]):
    """MSAL repeats an error for 60 seconds without a request. A consent given in the meantime must be seen."""

    def __setitem__(self, key: str, value: Any) -> None:
        """Keep nothing."""


def _no_token_cache() -> Any:
    import msal

    class NoTokenCache(msal.TokenCache):
        def add(self, event: Any, now: Any = None) -> None:
            """Keep nothing: a cached token would hide a withdrawn consent, and people's tokens would accumulate."""

    return NoTokenCache()
