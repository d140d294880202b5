"""Access tokens of the control panel's issuer. Every check is spelled out."""

from pydantic import ValidationError

from shared.adapters.issuer_keys import IssuerKeys
from shared.adapters.jwt_verifier import Expired, key_id, unverified_header, verified_claims
from shared.adapters.web import Web
from shared.kernel.documents import Foreign
from shared.kernel.refusals import NotAuthenticated, Unavailable
from shared.ports.access_tokens import VerifiedAccess
from shared.ports.clock import Clock

_OK = 200
_LONGEST = 16_000


class _Discovery(Foreign):
    """An issuer's metadata (OpenID Connect Discovery, section 3)."""

    issuer: str
    jwks_uri: str


class ControlPanelTokens:
    """Verifies bearer tokens of one issuer.

    Args:
        issuer: exactly as in the token's `iss` and the issuer's discovery document.
        audience: this service, exactly as in the token's `aud`.
        web: how to read the issuer's keys.
        clock: the time, for tokens and for the age of keys.
    """

    def __init__(self, *, issuer: str, audience: str, web: Web, clock: Clock) -> None:
        self._issuer = issuer
        self._audience = audience
        self._web = web
        self._clock = clock
        self._keys = IssuerKeys(web=web, jwks_uri=self._jwks_uri, clock=clock)

    async def verify(self, unverified_token: str) -> VerifiedAccess:
        """See the port."""
        try:
            kid = key_id(unverified_header(unverified_token, longest=_LONGEST))
            claims = verified_claims(
                unverified_token,
                await self._keys.find(kid),
                algorithms=["RS256"],
                require=["iss", "aud", "exp", "iat", "sub"],
                issuer=self._issuer,
                subject=None,
                audience=self._audience,
                now=self._clock.now(),
                may_be_expired=False,
                longest_life=None,
            )
            return VerifiedAccess.model_validate(claims)
        except Expired:
            raise NotAuthenticated("The bearer token has expired. Get a new one from the control panel.") from None
        except ValueError:
            raise NotAuthenticated("The bearer token was not issued by the control panel for this service.") from None

    async def probe(self) -> None:
        """See the port."""
        await self._keys.refresh()

    async def _jwks_uri(self) -> str:
        """From the issuer's discovery document (OpenID Connect Discovery, section 4: its `issuer` must be ours)."""
        address = f"{self._issuer.rstrip('/')}/.well-known/openid-configuration"
        status, document = await self._web.get_json(address)
        try:
            found = _Discovery.model_validate(document)
        except ValidationError:
            found = None
        if found is None or status != _OK or found.issuer != self._issuer:
            raise Unavailable(
                "The control panel's discovery document does not match SSO_CONTROL_PANEL_ISSUER. "
                "An operator must fix this."
            )
        return found.jwks_uri
