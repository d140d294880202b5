"""ID tokens of Entra, verified by ourselves: MSAL looks at the nonce only.

Source: https://learn.microsoft.com/entra/identity-platform/id-tokens#validate-tokens
"""

from collections import OrderedDict

from pydantic import ValidationError

from shared.adapters.issuer_keys import IssuerKeys
from shared.adapters.web import Web
from shared.kernel.names import TenantId
from shared.kernel.refusals import NotAuthenticated, ProofFailed
from shared.ports.clock import Clock
from shared.ports.identity_provider import VerifiedIdentity

_LEEWAY_SECONDS = 30
_TENANTS_REMEMBERED = 1_000


class IdTokens:
    """Verifies ID tokens.

    Args:
        authority: Entra's authority host, such as `https://login.microsoftonline.com`.
        client_id: this service's app registration, which must be the audience.
        web: how to read Entra's keys.
        clock: the time, for the age of keys.
    """

    def __init__(self, authority: str, client_id: str, web: Web, clock: Clock) -> None:
        self._authority = authority
        self._client_id = client_id
        self._web = web
        self._clock = clock
        self._keys: OrderedDict[TenantId, IssuerKeys] = OrderedDict()

    async def verify(self, unverified_id_token: str, tenant_id: TenantId, nonce: str) -> VerifiedIdentity:
        """Who signed in, if the token was issued by this very tenant, for us, now, and for this sign-in.

        Args:
            unverified_id_token: as the token endpoint returned it.
            tenant_id: the tenant at which the sign-in was started; the issuer follows from it, never from the token.
            nonce: what the authorization request carried.

        Raises:
            ProofFailed: a check does not hold.
            Unavailable: the tenant's keys cannot be read.
        """
        import jwt

        try:
            kid = jwt.get_unverified_header(unverified_id_token).get("kid")
            claims = jwt.decode(
                unverified_id_token,
                await self._keys_of(tenant_id).find(str(kid)),
                algorithms=["RS256"],
                issuer=self._issuer(tenant_id),
                audience=self._client_id,
                leeway=_LEEWAY_SECONDS,
                options={
                    "require": ["iss", "aud", "exp", "nbf", "iat", "sub", "nonce", "tid", "oid"],
                    "verify_signature": True,
                    "verify_iss": True,
                    "verify_aud": True,
                    "verify_exp": True,
                    "verify_nbf": True,
                    "verify_iat": True,
                },
            )
            identity = VerifiedIdentity.model_validate(claims)
        except (jwt.PyJWTError, NotAuthenticated, ValidationError) as error:
            raise ProofFailed("The ID token in Microsoft's answer is invalid. Start again.") from error
        if claims["nonce"] != nonce:
            raise ProofFailed("Microsoft's answer belongs to another sign-in. Start again.")
        if identity.tid != tenant_id:
            raise ProofFailed("Microsoft's answer is about another organisation. Start again.")
        return identity

    def _issuer(self, tenant_id: str) -> str:
        """A key may name its issuer with `{tenantid}` in the tenant's place.

        Source: https://learn.microsoft.com/entra/identity-platform/access-tokens#validate-the-issuer
        """
        return f"{self._authority}/{tenant_id}/v2.0"

    def _keys_of(self, tenant_id: TenantId) -> IssuerKeys:
        if tenant_id not in self._keys:

            async def jwks_uri() -> str:
                return f"{self._authority}/{tenant_id}/discovery/v2.0/keys"

            self._keys[tenant_id] = IssuerKeys(
                self._web, jwks_uri, self._clock, frozenset({self._issuer(tenant_id), self._issuer("{tenantid}")})
            )
            while len(self._keys) > _TENANTS_REMEMBERED:
                self._keys.popitem(last=False)
        self._keys.move_to_end(tenant_id)
        return self._keys[tenant_id]
