"""Public keys of a token issuer, read from its JWKS (RFC 7517) and cached."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from shared.adapters.web import Web
from shared.kernel.refusals import NotAuthenticated, Unavailable
from shared.ports.clock import Clock

if TYPE_CHECKING:
    from jwt import PyJWK

_FRESH = timedelta(hours=1)
"""How long keys are trusted before they are read again, so that a withdrawn key stops working."""

_PATIENCE = timedelta(seconds=10)
"""The pause before an unknown `kid` triggers another request, so that invented ones cause no flood."""


class IssuerKeys:
    """The keys of one issuer.

    Args:
        web: reads the key set.
        jwks_uri: finds the address of the key set.
        clock: the time.
        issuers: if given, a key that names an issuer, as Entra's keys do, must name one of these.
    """

    def __init__(
        self,
        *,
        web: Web,
        jwks_uri: Callable[[], Awaitable[str]],
        clock: Clock,
        issuers: frozenset[str] = frozenset(),
    ) -> None:
        self._web = web
        self._jwks_uri = jwks_uri
        self._clock = clock
        self._issuers = issuers
        self._keys: dict[str, PyJWK] = {}
        self._read_at: timedelta | None = None
        self._tried_at: timedelta | None = None
        self._readable = False
        self._reading = asyncio.Lock()

    async def find(self, kid: str) -> "PyJWK":
        """The key of this id. For an unknown one, the set is read again: the issuer may have rotated its keys.

        Raises:
            NotAuthenticated: the issuer has no such key.
            Unavailable: the set cannot be read.
        """
        if kid not in self._keys or self._older_than(_FRESH, self._read_at):
            await self.refresh()
        try:
            return self._keys[kid]
        except KeyError:
            raise NotAuthenticated("The token is signed with a key that its issuer does not publish.") from None

    async def refresh(self) -> None:
        """Read the set, unless that was tried a moment ago: an unavailable issuer must not make callers queue.

        Raises:
            Unavailable: the set cannot be read, or could not a moment ago.
        """
        async with self._reading:
            if self._older_than(_PATIENCE, self._tried_at):
                self._tried_at, self._readable = self._clock.monotonic(), False
                try:
                    self._keys = self._read(await self._document())
                except asyncio.CancelledError:
                    self._tried_at = None  # the issuer did not fail
                    raise
                self._read_at, self._readable = self._clock.monotonic(), True
            if not self._readable:
                raise Unavailable("The issuer of the token did not respond a moment ago. Try again in a few seconds.")

    async def _document(self) -> dict[str, Any]:
        status, document = await self._web.get_json(await self._jwks_uri())
        if status != 200 or not isinstance(document, dict):  # noqa: PLR2004 - HTTP's OK
            raise Unavailable("The issuer of the token does not publish its keys. Try again in a few seconds.")
        return document

    def _read(self, document: dict[str, Any]) -> dict[str, "PyJWK"]:
        """The keys that we can use. An unusable one does not affect the others."""
        import jwt

        keys: dict[str, PyJWK] = {}
        for key in document.get("keys", []):
            if key.get("kty") == "RSA" and "kid" in key and key.get("issuer") in {None, *self._issuers}:
                with contextlib.suppress(jwt.PyJWTError):
                    keys[key["kid"]] = jwt.PyJWK(key, algorithm="RS256")
        return keys

    def _older_than(self, age: timedelta, at: timedelta | None) -> bool:
        return at is None or self._clock.monotonic() - at > age
