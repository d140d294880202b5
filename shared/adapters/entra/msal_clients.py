"""MSAL, which is synchronous, in threads: one confidential client per tenant, created once.

Creating a client costs a discovery request, so clients are kept, and concurrent callers for one tenant share one.
Neither tokens nor error responses are cached: we call MSAL for a proof that is valid now.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any

from shared.kernel.caches import BoundedCache
from shared.kernel.names import TenantId
from shared.kernel.refusals import Unavailable

if TYPE_CHECKING:
    from msal import ConfidentialClientApplication

    from shared.adapters.entra.msal_http import MsalHttp

    type _Making = asyncio.Future[ConfidentialClientApplication]

_TENANTS_REMEMBERED = 1_000
_AT_ONCE = 16

type ClientCredential = str | dict[str, Callable[[], str]]
"""A client secret, for development, or `{"client_assertion": ...}`, the app's managed identity."""


class MsalClients:
    """The clients of one app registration.

    Args:
        authority: Entra's authority host.
        client_id: of the app registration.
        credential: created when it is first needed.
        ca_file: trusted beside the machine's own authorities; for development.
    """

    def __init__(
        self, *, authority: str, client_id: str, credential: Callable[[], ClientCredential], ca_file: str | None
    ) -> None:
        self._authority = authority
        self._client_id = client_id
        self._credential = credential
        self._ca_file = ca_file
        self._http: MsalHttp | None = None
        # Its own threads: those of the event loop resolve host names, and storage must not wait for Entra.
        self._threads = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="msal")
        self._clients: BoundedCache[TenantId, _Making] = BoundedCache(_TENANTS_REMEMBERED)

    async def call[T](self, tenant_id: TenantId, ask: "Callable[[ConfidentialClientApplication], T]") -> T:
        """Call a tenant's client in a thread, since it sends a request and waits.

        Raises:
            ValueError: MSAL does not find the tenant, or refuses the call.
            Unavailable: Entra does not respond in time.
        """
        return await self._in_thread(ask, await self._client(tenant_id))

    async def use[T](self, tenant_id: TenantId, ask: "Callable[[ConfidentialClientApplication], T]") -> T:
        """Use a tenant's client for something that sends no request, which takes less than the way to a thread.

        Raises:
            ValueError: MSAL does not find the tenant.
            Unavailable: Entra does not respond in time.
        """
        return ask(await self._client(tenant_id))

    async def _client(self, tenant_id: TenantId) -> "ConfidentialClientApplication":
        if self._http is None:
            from shared.adapters.entra.msal_http import MsalHttp

            self._http = MsalHttp(_AT_ONCE, self._ca_file)
        client = self._clients.get(tenant_id)
        if client is None:
            client = asyncio.ensure_future(self._in_thread(self._make, tenant_id))
            client.add_done_callback(partial(self._drop_failed, tenant_id))
            self._clients.put(tenant_id, client)
        return await asyncio.shield(client)

    def _drop_failed(self, tenant_id: TenantId, making: "_Making") -> None:
        failed = making.cancelled() or making.exception() is not None
        if failed and self._clients.get(tenant_id) is making:
            self._clients.drop(tenant_id)

    async def _in_thread[A, T](self, work: Callable[[A], T], argument: A) -> T:
        from azure.core.exceptions import AzureError
        from msal.exceptions import MsalServiceError
        from urllib3.exceptions import HTTPError

        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work, argument)
        except (HTTPError, MsalServiceError) as error:
            raise Unavailable("Microsoft Entra ID does not respond. Try again in a few seconds.") from error
        except AzureError as error:
            raise Unavailable(
                "The managed identity of this service does not respond. Try again in a few seconds.", retry_after=30
            ) from error

    def _make(self, tenant_id: TenantId) -> "ConfidentialClientApplication":
        import msal

        return msal.ConfidentialClientApplication(
            self._client_id,
            client_credential=self._credential(),
            authority=f"{self._authority}/{tenant_id}",
            instance_discovery=False,
            exclude_scopes=["offline_access"],
            http_client=self._http,
            token_cache=_no_token_cache(),
            http_cache=_NoHttpCache(),
        )

    async def close(self) -> None:
        """Close the connections."""
        if self._http is not None:
            self._http.close()
            self._http = None
        self._threads.shutdown(wait=False)


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
