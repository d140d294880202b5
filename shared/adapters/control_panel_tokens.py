"""Access tokens of the control panel's issuer, verified with PyJWT. Every check is spelled out."""

from pydantic import ValidationError

from shared.adapters.issuer_keys import IssuerKeys
from shared.adapters.web import Web
from shared.kernel.refusals import NotAuthenticated, Unavailable
from shared.ports.access_tokens import VerifiedAccess
from shared.ports.clock import Clock

_OK = 200
_LEEWAY_SECONDS = 30
_LIMIT = 16_000


class ControlPanelTokens:
    """Verifies bearer tokens of one issuer.

    Args:
        issuer: as the token's `iss` and the issuer's discovery document have it.
        audience: this service, as the token's `aud` has it.
        web: how to read the issuer's keys.
        clock: the time, for the age of keys.
    """

    def __init__(self, issuer: str, audience: str, web: Web, clock: Clock) -> None:
        self._issuer = issuer
        self._audience = audience
        self._web = web
        self._keys = IssuerKeys(web, self._jwks_uri, clock)

    async def verify(self, unverified_token: str) -> VerifiedAccess:
        """See the port."""
        import jwt

        try:
            if len(unverified_token) > _LIMIT:
                raise NotAuthenticated("The bearer token is too long.")
            kid = jwt.get_unverified_header(unverified_token).get("kid")
            if not isinstance(kid, str):
                raise NotAuthenticated("The bearer token has no key id (kid).")
            claims = jwt.decode(
                unverified_token,
                await self._keys.find(kid),
                algorithms=["RS256"],
                issuer=self._issuer,
                audience=self._audience,
                leeway=_LEEWAY_SECONDS,
                options={
                    "require": ["iss", "aud", "exp", "iat", "sub"],
                    "verify_signature": True,
                    "verify_iss": True,
                    "verify_aud": True,
                    "verify_exp": True,
                    "verify_nbf": True,
                    "verify_iat": True,
                },
            )
            return VerifiedAccess.model_validate(claims)
        except jwt.ExpiredSignatureError:
            raise NotAuthenticated("The bearer token has expired. Get a new one from the control panel.") from None
        except (jwt.PyJWTError, ValidationError, ValueError):
            raise NotAuthenticated("The bearer token was not issued by the control panel for this service.") from None

    async def probe(self) -> None:
        """See the port."""
        await self._keys.refresh()

    async def _jwks_uri(self) -> str:
        """From the issuer's discovery document (OpenID Connect Discovery, section 4: its `issuer` must be ours)."""
        address = f"{self._issuer.rstrip('/')}/.well-known/openid-configuration"
        status, document = await self._web.get_json(address)
        found = document if status == _OK and isinstance(document, dict) else {}
        if found.get("issuer") != self._issuer or not isinstance(found.get("jwks_uri"), str):
            raise Unavailable(
                "The control panel's discovery document does not match SSO_CONTROL_PANEL_ISSUER. "
                "An operator must fix this."
            )
        return str(found["jwks_uri"])
