"""Sign-in, consent and organisations at Entra: one adapter for the three ports."""

import hashlib
import logging
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

from shared.adapters.entra.explanations import explain, explain_consent, reason
from shared.adapters.entra.graph import Graph
from shared.adapters.entra.id_tokens import IdTokens
from shared.adapters.entra.token_requests import UNREADABLE, TokenRequests, names_no_tenant
from shared.kernel.documents import Foreign
from shared.kernel.encoding import base64url
from shared.kernel.names import DomainName, TenantId
from shared.kernel.refusals import ProofFailed, Unavailable
from shared.ports.entra import ConsentMissing
from shared.ports.organizations import Organization
from shared.ports.sign_in import SignInRequest, VerifiedIdentity

if TYPE_CHECKING:
    from msal import ConfidentialClientApplication

_log = logging.getLogger(__name__)

_SCOPES = ("openid", "profile", "email", "User.Read")
"""Delegated, and no `offline_access`: people's refresh tokens would be of no use, and have to be guarded."""

_OK = 200
_REDEEMED = "redeemed"  # our own state is redeemed before; MSAL compares its copy of it with itself


class _Metadata(Foreign):
    issuer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EntraProvider:
    """See `shared.ports.sign_in`, `shared.ports.consent` and `shared.ports.organizations`."""

    tokens: TokenRequests
    """Requests tokens."""
    id_tokens: IdTokens
    """Verifies ID tokens."""
    graph: Graph
    """Reads organisations."""
    browser_url: str
    """Entra's authority host as browsers reach it."""
    client_id: str
    """Of the app registration."""

    def admin_consent_url(self, redirect_uri: str, state: str, tenant_id: TenantId | None = None) -> str:
        """See the port. `.default` requests the full set each time: granting less would revoke the rest."""
        query = {
            "client_id": self.client_id,
            "scope": self.graph.scope,
            "redirect_uri": redirect_uri,
            "state": state,
        }
        return f"{self.browser_url}/{tenant_id or 'organizations'}/v2.0/adminconsent?{urlencode(query)}"

    async def find_tenant(self, name: TenantId | DomainName) -> TenantId | None:
        """See the port. The issuer of a tenant's metadata has its id."""
        status, document = await self.tokens.metadata(name)
        if names_no_tenant(document):
            return None
        try:
            issuer = _Metadata.model_validate(document).issuer
            return TenantId(urlsplit(issuer).path.strip("/").partition("/")[0])
        except ValueError as error:
            _log.warning("Entra's metadata cannot be read: status=%s", status)
            raise Unavailable(UNREADABLE) from error

    async def begin_sign_in(
        self, tenant_id: TenantId, redirect_uri: str, state: str, *, prompt: str | None, login_hint: str | None = None
    ) -> SignInRequest:
        """See the port.

        MSAL takes a tenth of the whole authorize step for the same address, and warns of anything but `form_post`,
        whose cross-site POST would lack our SameSite=Lax cookie; see docs/decisions/0006. The code in the query is
        bound to the cookie and to PKCE (RFC 7636, section 4), and lives for one use.
        """
        endpoint = await self.tokens.authorization_endpoint(tenant_id)
        code_verifier, nonce = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
        query = {
            "client_id": self.client_id,
            "response_type": "code",
            "response_mode": "query",
            "redirect_uri": redirect_uri,
            "scope": " ".join(_SCOPES),
            "state": state,
            "nonce": _as_sent(nonce),
            "code_challenge": base64url(hashlib.sha256(code_verifier.encode()).digest()),
            "code_challenge_method": "S256",
        }
        wishes = {"prompt": prompt, "login_hint": login_hint}
        query |= {name: value for name, value in wishes.items() if value is not None}
        return SignInRequest(f"{endpoint}?{urlencode(query)}", code_verifier, nonce)

    async def finish_sign_in(
        self, tenant_id: TenantId, redirect_uri: str, code: str, code_verifier: str, nonce: str
    ) -> VerifiedIdentity:
        """See the port."""
        flow = {
            "state": _REDEEMED,
            "redirect_uri": redirect_uri,
            "scope": [*_SCOPES],
            "code_verifier": code_verifier,
            "nonce": nonce,
        }

        def ask(client: "ConfidentialClientApplication") -> dict[str, Any]:
            return {**client.acquire_token_by_auth_code_flow(flow, {"state": _REDEEMED, "code": code})}

        try:
            unverified_id_token = await self.tokens.id_token(tenant_id, ask)
        except RuntimeError as error:
            raise ProofFailed("Microsoft's answer belongs to another sign-in. Start again.") from error
        return await self.id_tokens.verify(unverified_id_token, tenant_id, _as_sent(nonce))

    def sign_out_url(self, post_logout_redirect_uri: str, logout_hint: str | None) -> str:
        """See the port. At `organizations`, because the hint names the session."""
        query = {"post_logout_redirect_uri": post_logout_redirect_uri}
        hint = {"logout_hint": logout_hint} if logout_hint else {}
        return f"{self.browser_url}/organizations/oauth2/v2.0/logout?{urlencode({**query, **hint})}"

    async def read_organization(self, tenant_id: TenantId) -> Organization:
        """See the port."""
        return await self.graph.read_organization(await self.tokens.app_only_token(tenant_id, self.graph.scope))

    async def probe_credential(self, tenant_id: TenantId) -> None:
        """See the port. The home tenant needs no consent: a missing service principal is the operator's fault."""
        try:
            await self.tokens.app_only_token(tenant_id, self.graph.scope)
        except ConsentMissing as refused:
            _log.error("Entra refuses this service: error=%s AADSTS%s in its home tenant", refused.error, refused.code)
            raise Unavailable(
                "Microsoft Entra ID does not know this service in its home tenant. Create its service principal there "
                "(az ad sp create), or correct SSO_ENTRA_HOME_TENANT.",
                retry_after=30,
            ) from refused

    async def probe(self) -> None:
        """See the port."""
        status, _ = await self.tokens.metadata("organizations")
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


def _as_sent(nonce: str) -> str:
    """The hash that travels, so that only who has the nonce can have asked; MSAL compares the ID token with it, too."""
    return hashlib.sha256(nonce.encode()).hexdigest()
