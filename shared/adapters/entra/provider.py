"""Sign-in, consent and organisations on MSAL and Graph: one adapter for the three ports."""

import contextlib
import hashlib
import logging
from collections.abc import Awaitable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

from pydantic import Field, ValidationError

from shared.adapters.entra.explanations import explain, explain_consent, number_in, reason
from shared.adapters.entra.id_tokens import IdTokens
from shared.adapters.entra.msal_clients import MsalClients
from shared.adapters.web import Web
from shared.kernel.documents import Foreign
from shared.kernel.encoding import from_base64url
from shared.kernel.names import DomainName, TenantId
from shared.kernel.refusals import ProofFailed, Unavailable
from shared.ports.entra import ConsentMissing, GraphForbidden, ProviderRefused
from shared.ports.organizations import Guid, Organization, ServicePrincipal
from shared.ports.sign_in import SignInRequest, VerifiedIdentity

if TYPE_CHECKING:
    from msal import ConfidentialClientApplication

_log = logging.getLogger(__name__)

_SIGN_IN_SCOPES = ["User.Read", "email"]
"""Delegated; MSAL adds `openid profile`."""

_OK = 200
_FORBIDDEN = 403
_REDEEMED = "redeemed"  # our own state is redeemed before; MSAL compares its copy of it with itself
_ASKED_TOO_OFTEN = 50196
"""AADSTS number of a client that requests in a loop: Entra returns it as `invalid_grant`, and we are the cause."""

_CUSTOMER_SAYS_NO = frozenset(
    {"unauthorized_client", "invalid_grant", "access_denied", "consent_required", "interaction_required"}
)
"""OAuth errors caused by the customer: the app is not in the tenant or disabled, or a person or policy refused.

`invalid_client` is not among them: that is this service's own credential (RFC 6749, section 5.2).
"""


_UNREADABLE = "Microsoft Entra ID sent a response that this service cannot read. Try again in a few seconds."


class _Metadata(Foreign):
    issuer: str


class _GraphDomain(Foreign):
    name: str


class _GraphOrganization(Foreign):
    id: TenantId
    display_name: str = Field(alias="displayName")
    verified_domains: tuple[_GraphDomain, ...] = Field(alias="verifiedDomains", min_length=1)
    """Every tenant has its initial domain: a list without any must not take all domains from an account."""


class _AppOnlyToken(Foreign):
    """Claims of our own access token for Graph (https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference)."""

    oid: Guid
    appid: Guid


class _GraphOrganizations(Foreign):
    value: tuple[_GraphOrganization, ...] = Field(min_length=1, max_length=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class EntraProvider:
    """See `shared.ports.sign_in`, `shared.ports.consent` and `shared.ports.organizations`."""

    clients: MsalClients
    """MSAL."""
    id_tokens: IdTokens
    """Verifies the tokens that MSAL redeems."""
    web: Web
    """Reads discovery and Graph."""
    authority_url: str
    """Entra's authority host as this service reaches it."""
    browser_url: str
    """The same host as browsers reach it."""
    graph_url: str
    """Microsoft Graph's host."""
    client_id: str
    """Of the app registration."""

    def admin_consent_url(self, redirect_uri: str, state: str, tenant_id: TenantId | None = None) -> str:
        """See the port. `.default` requests the full set each time: granting less would revoke the rest."""
        query = {
            "client_id": self.client_id,
            "scope": self._graph_scope,
            "redirect_uri": redirect_uri,
            "state": state,
        }
        return f"{self.browser_url}/{tenant_id or 'organizations'}/v2.0/adminconsent?{urlencode(query)}"

    async def find_tenant(self, name: TenantId | DomainName) -> TenantId | None:
        """See the port. The issuer of a tenant's metadata has its id."""
        status, document = await self._metadata(name)
        if _names_no_tenant(document):
            return None
        try:
            issuer = _Metadata.model_validate(document).issuer
            return TenantId(urlsplit(issuer).path.strip("/").partition("/")[0])
        except ValueError as error:
            _log.warning("Entra's metadata cannot be read: status=%s", status)
            raise Unavailable(_UNREADABLE) from error

    async def begin_sign_in(
        self, tenant_id: TenantId, redirect_uri: str, state: str, *, prompt: str | None, login_hint: str | None = None
    ) -> SignInRequest:
        """See the port."""

        def ask(client: "ConfidentialClientApplication") -> dict[str, Any]:
            flow: dict[str, Any] = client.initiate_auth_code_flow(
                _SIGN_IN_SCOPES,
                redirect_uri=redirect_uri,
                state=state,
                prompt=prompt,
                login_hint=login_hint,
                response_mode="form_post",
            )
            return flow

        flow = await self._answered(tenant_id, self.clients.use(tenant_id, ask))
        # MSAL warns of anything but form_post, whose cross-site POST would lack our SameSite=Lax cookie; see
        # docs/decisions/0006. The code in the query is bound to the cookie and to PKCE, and lives for one use.
        url = flow["auth_uri"].replace("response_mode=form_post", "response_mode=query")
        return SignInRequest(url, flow["code_verifier"], flow["nonce"])

    async def finish_sign_in(
        self, tenant_id: TenantId, redirect_uri: str, code: str, code_verifier: str, nonce: str
    ) -> VerifiedIdentity:
        """See the port."""
        flow = {
            "state": _REDEEMED,
            "redirect_uri": redirect_uri,
            "scope": [*_SIGN_IN_SCOPES, "openid", "profile"],
            "code_verifier": code_verifier,
            "nonce": nonce,
        }

        def ask(client: "ConfidentialClientApplication") -> dict[str, Any]:
            answer: dict[str, Any] = client.acquire_token_by_auth_code_flow(flow, {"state": _REDEEMED, "code": code})
            return answer

        try:
            answer = await self._answered(tenant_id, self.clients.call(tenant_id, ask))
        except RuntimeError as error:
            raise ProofFailed("Microsoft's answer belongs to another sign-in. Start again.") from error
        # The code came through a browser: if it is malformed, the browser is the cause.
        unverified_id_token = _granted(answer, "id_token", ProviderRefused, frozenset({"invalid_request"}))
        sent_nonce = hashlib.sha256(nonce.encode()).hexdigest()  # MSAL sends the hash of the nonce that it returns
        return await self.id_tokens.verify(unverified_id_token, tenant_id, sent_nonce)

    def sign_out_url(self, post_logout_redirect_uri: str, logout_hint: str | None) -> str:
        """See the port. At `organizations`, because the hint names the session."""
        query = {"post_logout_redirect_uri": post_logout_redirect_uri}
        hint = {"logout_hint": logout_hint} if logout_hint else {}
        return f"{self.browser_url}/organizations/oauth2/v2.0/logout?{urlencode({**query, **hint})}"

    async def read_organization(self, tenant_id: TenantId) -> Organization:
        """See the port."""
        token = await self._app_only_token(tenant_id)
        status, document = await self.web.get_json(
            f"{self.graph_url}/v1.0/organization?$select=id,displayName,verifiedDomains",
            headers={"Authorization": f"Bearer {token}"},
        )
        if status == _FORBIDDEN:
            raise GraphForbidden(
                "access_denied",
                None,
                "Microsoft Graph does not let this service read your organisation. "
                "Ask an administrator of your organisation to consent again.",
            )
        try:
            (organization,) = _GraphOrganizations.model_validate(document).value
        except ValidationError as error:
            raise Unavailable(
                "Microsoft Graph sent a response that this service cannot read. Try again in a few seconds."
            ) from error
        return Organization(
            tenant_id=organization.id,
            display_name=organization.display_name,
            verified_domains=tuple(_known_to_dns(domain.name for domain in organization.verified_domains)),
            service_principal=_holder_of(token),
        )

    async def probe_credential(self, tenant_id: TenantId) -> None:
        """See the port. The home tenant needs no consent: a missing service principal is the operator's fault."""
        try:
            await self._app_only_token(tenant_id)
        except ConsentMissing as refused:
            _log.error("Entra refuses this service: error=%s AADSTS%s in its home tenant", refused.error, refused.code)
            raise Unavailable(
                "Microsoft Entra ID does not know this service in its home tenant. Create its service principal there "
                "(az ad sp create), or correct SSO_ENTRA_HOME_TENANT.",
                retry_after=30,
            ) from refused

    async def probe(self) -> None:
        """See the port."""
        status, _ = await self._metadata("organizations")
        if status != _OK:
            raise Unavailable("Microsoft Entra ID does not publish its discovery document. See SSO_ENTRA_AUTHORITY.")

    def explain(self, error: str, description: str) -> str:
        """See the port."""
        return explain(error, description)

    def explain_consent(self, error: str, description: str) -> str:
        """See the port."""
        return explain_consent(error, description)

    def reason(self, error: str, description: str) -> str:
        """See the port."""
        return reason(error, description)

    @property
    def _graph_scope(self) -> str:
        return f"{self.graph_url}/.default"

    async def _app_only_token(self, tenant_id: TenantId) -> str:
        """A token of this service itself in a tenant, for Graph.

        Raises:
            ConsentMissing: Entra issues none: there is no consent, or no such tenant.
        """

        def ask(client: "ConfidentialClientApplication") -> dict[str, Any]:
            answer: dict[str, Any] = client.acquire_token_for_client([self._graph_scope])
            return answer

        answer = await self._answered(tenant_id, self.clients.call(tenant_id, ask))
        if answer.get("error") in {"invalid_request", "invalid_tenant"}:
            await self._must_exist(tenant_id)
        return _granted(answer, "access_token", ConsentMissing)

    async def _answered(self, tenant_id: TenantId, asked: Awaitable[dict[str, Any]]) -> dict[str, Any]:
        """What MSAL answers.

        Raises:
            ConsentMissing: there is no such tenant.
            Unavailable: MSAL cannot read what Entra answers.
        """
        try:
            return await asked
        except ValueError as error:
            await self._must_exist(tenant_id)
            raise Unavailable(_UNREADABLE) from error

    async def _must_exist(self, tenant_id: TenantId) -> None:
        """Ask Entra itself whether the tenant exists, since MSAL reports any failure as a missing tenant.

        Raises:
            ConsentMissing: Entra reports that it does not exist.
        """
        _, document = await self._metadata(tenant_id)
        if _names_no_tenant(document):
            raise ConsentMissing("invalid_tenant", 90002, explain("invalid_tenant", "AADSTS90002"))

    async def _metadata(self, name: str) -> tuple[int, Any]:
        return await self.web.get_json(f"{self.authority_url}/{name}/v2.0/.well-known/openid-configuration")


def _holder_of(app_only_token: str) -> ServicePrincipal | None:
    """Whose token it is. It is Graph's to verify, and what stands in it serves links alone: it proves nothing to us."""
    _, _, rest = app_only_token.partition(".")
    try:
        held = _AppOnlyToken.model_validate_json(from_base64url(rest.partition(".")[0]))
    except ValueError:  # pydantic's is one, too
        return None
    return ServicePrincipal(object_id=held.oid, app_id=held.appid)


def _names_no_tenant(metadata: Any) -> bool:
    return isinstance(metadata, dict) and metadata.get("error") == "invalid_tenant"


def _known_to_dns(names: Iterable[str]) -> Iterator[DomainName]:
    """The names that are valid domains; no email address can have any other."""
    for name in names:
        with contextlib.suppress(ValueError):
            yield DomainName(name)


def _granted(
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
