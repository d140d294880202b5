"""Tokens of Entra, requested by MSAL; and whose fault it is if there are none."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from shared.adapters.entra.explanations import explain, explain_consent, number_in
from shared.adapters.entra.msal_clients import MsalClients
from shared.adapters.web import Web
from shared.kernel.names import TenantId
from shared.kernel.refusals import Unavailable
from shared.ports.entra import ConsentMissing, ProviderRefused

if TYPE_CHECKING:
    from msal import ConfidentialClientApplication

_log = logging.getLogger(__name__)

UNREADABLE = "Microsoft Entra ID sent a response that this service cannot read. Try again in a few seconds."

_IN_ANOTHER_FORM = (ValueError, TypeError, AttributeError, LookupError, RecursionError)
"""What MSAL raises if an answer is not in the form that it takes for granted."""

_ASKED_TOO_OFTEN = 50196
"""AADSTS number of a client that requests in a loop: Entra returns it as `invalid_grant`, and we are the cause."""

_CUSTOMER_SAYS_NO = frozenset(
    {"unauthorized_client", "invalid_grant", "access_denied", "consent_required", "interaction_required"}
)
"""OAuth errors caused by the customer: the app is not in the tenant or disabled, or a person or policy refused.

`invalid_client` is not among them: that is this service's own credential (RFC 6749, section 5.2).
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRequests:
    """Requests tokens at the tenants of customers."""

    clients: MsalClients
    """MSAL."""
    web: Web
    """Reads discovery."""
    authority_url: str
    """Entra's authority host as this service reaches it."""

    async def authorization_endpoint(self, tenant_id: TenantId) -> str:
        """Where a person signs in to a tenant.

        Raises:
            ConsentMissing: there is no such tenant.
            Unavailable: Entra does not respond in time, or not as documented.
        """
        client = await self._existing(tenant_id, self.clients.client(tenant_id))
        return str(client.authority.authorization_endpoint)

    async def id_token(
        self, tenant_id: TenantId, ask: "Callable[[ConfidentialClientApplication], dict[str, Any]]"
    ) -> str:
        """An unverified ID token.

        Args:
            tenant_id: where to request it.
            ask: how, by MSAL; it fails if the answer is no object. The code came through a browser: if it is malformed,
                the browser is the cause.

        Raises:
            ProviderRefused: Entra refuses the customer.
            Unavailable: Entra does not respond in time, or refuses this service.
        """
        answer = await self._existing(tenant_id, self.clients.call(tenant_id, ask))
        return granted(answer, "id_token", ProviderRefused, frozenset({"invalid_request"}))

    async def app_only_token(self, tenant_id: TenantId, scope: str) -> str:
        """A token of this service itself in a tenant.

        Raises:
            ConsentMissing: Entra issues none: there is no consent, or no such tenant.
            Unavailable: Entra does not respond in time, or refuses this service.
        """

        def ask(client: "ConfidentialClientApplication") -> dict[str, Any]:
            return {**client.acquire_token_for_client([scope])}

        answer = await self._existing(tenant_id, self.clients.call(tenant_id, ask))
        if str(answer.get("error")) in {"invalid_request", "invalid_tenant"}:
            await self._must_exist(tenant_id)
        return granted(answer, "access_token", ConsentMissing)

    async def metadata(self, name: str) -> tuple[int, Any]:
        """Status and document of the discovery of a tenant, or of `organizations`.

        Raises:
            Unavailable: Entra does not respond in time.
        """
        return await self.web.get_json(f"{self.authority_url}/{name}/v2.0/.well-known/openid-configuration")

    async def _existing[T](self, tenant_id: TenantId, asked: Awaitable[T]) -> T:
        """What MSAL returns.

        Raises:
            ConsentMissing: there is no such tenant.
            Unavailable: MSAL cannot read what Entra answers.
        """
        try:
            return await asked
        except _IN_ANOTHER_FORM as error:
            await self._must_exist(tenant_id)
            raise Unavailable(UNREADABLE) from error

    async def _must_exist(self, tenant_id: TenantId) -> None:
        """Ask Entra itself whether the tenant exists, since MSAL reports any failure as a missing tenant.

        Raises:
            ConsentMissing: Entra reports that it does not exist.
        """
        _, document = await self.metadata(tenant_id)
        if names_no_tenant(document):
            raise ConsentMissing("invalid_tenant", 90002, explain("invalid_tenant", "AADSTS90002"))


def names_no_tenant(metadata: Any) -> bool:
    """Whether Entra says that there is no such tenant."""
    return isinstance(metadata, dict) and metadata.get("error") == "invalid_tenant"


def granted(
    answer: Mapping[str, Any], token: str, refusal: type[ProviderRefused], also: frozenset[str] = frozenset()
) -> str:
    """The token of a token response; `also` are OAuth errors that the customer causes in this call only.

    Raises:
        ProviderRefused: of the given type, if Entra refuses the customer.
        Unavailable: Entra refuses the credential of this service itself, or returns another error that the customer
            did not cause. It must not mark a connection as revoked.
    """
    if token in answer:
        return str(answer[token])
    error, description = str(answer.get("error", "")), str(answer.get("error_description", ""))
    words = explain_consent if refusal is ConsentMissing else explain
    if error in _CUSTOMER_SAYS_NO | also and number_in(description) != _ASKED_TOO_OFTEN:
        raise refusal(error, number_in(description), words(error, description))
    _log.error("Entra refuses this service: error=%s AADSTS%s", error, number_in(description))
    raise Unavailable(explain(error, description), retry_after=30)
