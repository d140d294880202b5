"""Public keys of a token issuer, read from its JWKS (RFC 7517) and remembered."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from shared.adapters.web import Web
from shared.kernel.refusals import NotAuthenticated, Unavailable
from shared.ports.clock import Clock

if TYPE_CHECKING:
    from jwt import PyJWK

_FRESH = timedelta(hours=1)
"""How long keys are believed without asking again, so that a withdrawn key dies."""

_PATIENCE = timedelta(seconds=10)
"""How long after asking an unknown `kid` makes us ask again, so that invented ones cause no flood."""


class SigningKeys:
    """The keys of one issuer.

    Args:
        web: how to read.
        jwks_uri: finds the address of the key set.
        clock: the time.
        issuer: if given, a key that names an issuer must name this one, as Entra's keys do.
    """

    def __init__(
        self, web: Web, jwks_uri: Callable[[], Awaitable[str]], clock: Clock, issuer: str | None = None
    ) -> None:
        self._web = web
        self._jwks_uri = jwks_uri
        self._clock = clock
        self._issuer = issuer
        self._keys: dict[str, PyJWK] = {}
        self._read_at: datetime | None = None
        self._reading = asyncio.Lock()

    async def find(self, kid: str) -> "PyJWK":
        """The key of this id. An unknown one makes us read the set again: the issuer may have rolled over.

        Raises:
            NotAuthenticated: the issuer has no such key.
            Unavailable: the set cannot be read.
        """
        if kid not in self._keys or self._older_than(_FRESH):
            await self.refresh()
        try:
            return self._keys[kid]
        except KeyError:
            raise NotAuthenticated("The token is signed with a key that its issuer does not publish.") from None

    async def refresh(self) -> None:
        """Read the set, unless it was read a moment ago."""
        async with self._reading:
            if not self._older_than(_PATIENCE):
                return
            status, document = await self._web.get_json(await self._jwks_uri())
            if status != 200 or not isinstance(document, dict):  # noqa: PLR2004 - HTTP's OK
                raise Unavailable("The issuer of the token does not publish its keys. Try again in a few seconds.")
            self._keys = self._read(document)
            self._read_at = self._clock.now()

    def _read(self, document: dict[str, Any]) -> dict[str, "PyJWK"]:
        import jwt  # noqa: PLC0415 - slow to import

        return {
            key["kid"]: jwt.PyJWK(key, algorithm="RS256")
            for key in document.get("keys", [])
            if key.get("kty") == "RSA" and "kid" in key and key.get("issuer") in {None, self._issuer}
        }

    def _older_than(self, age: timedelta) -> bool:
        return self._read_at is None or self._clock.now() - self._read_at > age
