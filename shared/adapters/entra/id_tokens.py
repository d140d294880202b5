"""ID tokens of Entra, verified by ourselves: MSAL checks only the nonce.

Source: https://learn.microsoft.com/entra/identity-platform/id-tokens#validate-tokens
"""

from dataclasses import dataclass, field

from shared.adapters.issuer_keys import IssuerKeys
from shared.adapters.jwt_verifier import key_id, unverified_header, verified_claims
from shared.adapters.web import Web
from shared.kernel.caches import BoundedCache
from shared.kernel.names import TenantId
from shared.kernel.refusals import NotAuthenticated, ProofFailed
from shared.ports.clock import Clock
from shared.ports.sign_in import VerifiedIdentity

_LONGEST = 100_000
"""Characters of a token, many times what Entra issues."""

_TENANTS_REMEMBERED = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class IdTokens:
    """Verifies ID tokens."""

    authority: str
    """Entra's authority host, such as `https://login.microsoftonline.com`."""
    client_id: str
    """This service's app registration, which must be the audience."""
    web: Web
    """How to read Entra's keys."""
    clock: Clock
    """The time, for tokens and for the age of keys."""
    _keys: BoundedCache[TenantId, IssuerKeys] = field(
        init=False, repr=False, default_factory=lambda: BoundedCache(_TENANTS_REMEMBERED)
    )

    async def verify(self, unverified_id_token: str, tenant_id: TenantId, nonce: str) -> VerifiedIdentity:
        """The person who signed in, if the token was issued by this tenant, for us, now, and for this sign-in.

        Args:
            unverified_id_token: as the token endpoint returned it.
            tenant_id: the tenant at which the sign-in was started; the issuer follows from it, never from the token.
            nonce: from the authorization request.

        Raises:
            ProofFailed: a check failed.
            Unavailable: the tenant's keys cannot be read.
        """
        try:
            kid = key_id(unverified_header(unverified_id_token, longest=_LONGEST))
            claims = verified_claims(
                unverified_id_token,
                await self._keys_of(tenant_id).find(kid),
                algorithms=["RS256"],
                require=["iss", "aud", "exp", "nbf", "iat", "sub", "nonce", "tid", "oid"],
                issuer=self._issuer(tenant_id),
                subject=None,
                audience=self.client_id,
                now=self.clock.now(),
                may_be_expired=False,
                longest_life=None,
            )
            identity = VerifiedIdentity.model_validate(claims)
        except (ValueError, NotAuthenticated) as error:
            raise ProofFailed("The ID token in Microsoft's answer is invalid. Start again.") from error
        if claims["nonce"] != nonce:
            raise ProofFailed("Microsoft's answer belongs to another sign-in. Start again.")
        if identity.tid != tenant_id:
            raise ProofFailed("Microsoft's answer is about another organisation. Start again.")
        return identity

    def _issuer(self, tenant_id: str) -> str:
        """A key may name its issuer with the placeholder `{tenantid}` for the tenant.

        Source: https://learn.microsoft.com/entra/identity-platform/access-tokens#validate-the-issuer
        """
        return f"{self.authority}/{tenant_id}/v2.0"

    def _keys_of(self, tenant_id: TenantId) -> IssuerKeys:
        keys = self._keys.get(tenant_id)
        if keys is None:

            async def jwks_uri() -> str:
                return f"{self.authority}/{tenant_id}/discovery/v2.0/keys"

            issuers = frozenset({self._issuer(tenant_id), self._issuer("{tenantid}")})
            keys = IssuerKeys(web=self.web, jwks_uri=jwks_uri, clock=self.clock, issuers=issuers)
            self._keys.put(tenant_id, keys)
        return keys
