"""Client secrets: made here, shown once, stored as a salted slow hash, and checked at a bounded cost.

A hash takes 16 MiB and some 50 ms of a core, whether the secret is right or wrong. `SecretChecks` makes two at once:
32 MiB, and 20 checks a second on one core, 40 on two. Ten may be in progress, of which the last is done within half a
second on one core; further callers are refused for a second. A secret that was verified before costs a keyed hash, some
microseconds, and never waits: no number of wrong secrets slows down clients that are known.
"""

import asyncio
import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from datetime import timedelta

from shared.kernel.caches import BoundedCache
from shared.kernel.names import ClientId
from shared.kernel.refusals import Throttled
from shared.ports.clock import Clock

AT_ONCE = 2
"""Slow hashes that an instance makes at a time."""

UNDER_WAY = 10
"""Slow hashes in progress or queued."""

REMEMBERED_FOR = timedelta(minutes=10)
"""How long a verified secret is remembered after its last use."""

MOST_REMEMBERED = 1_000


def new_secret() -> str:
    """A client secret: 32 random bytes in base64url."""
    return secrets.token_urlsafe(32)


async def hash_secret(secret: str) -> str:
    """The stored form of a secret: salt and scrypt hash, in hexadecimal."""
    salt = secrets.token_bytes(16)
    return f"{salt.hex()}:{(await _scrypt(secret, salt)).hex()}"


async def verify_secret(secret: str, kept: str) -> bool:
    """Whether `kept` is the stored form of this secret."""
    salt, _, hashed = kept.partition(":")
    return hmac.compare_digest(await _scrypt(secret, bytes.fromhex(salt)), bytes.fromhex(hashed))


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretChecks:
    """Verifies secrets at a bounded cost; see the module.

    A verified secret is remembered as an HMAC, with a key of this process, over client, stored hash and secret. So it
    is useless elsewhere, and a renewed or removed secret stops working at once, because the stored hash has changed.
    """

    clock: Clock
    """The time, for the expiry of remembered secrets."""
    _key: bytes = field(init=False, repr=False, default_factory=lambda: secrets.token_bytes(32))
    _slots: asyncio.Semaphore = field(init=False, repr=False, default_factory=lambda: asyncio.Semaphore(AT_ONCE))
    _under_way: dict[bytes, asyncio.Future[bool]] = field(init=False, repr=False, default_factory=dict)
    _proven: BoundedCache[bytes, timedelta] = field(
        init=False, repr=False, default_factory=lambda: BoundedCache(MOST_REMEMBERED)
    )

    async def verify(self, client_id: ClientId, secret: str, *kept: str) -> bool:
        """Whether this is one of the client's secrets. Concurrent callers with the same secret share one hash.

        Args:
            client_id: the client that presents it.
            secret: as received.
            kept: the stored forms of the right ones, the likeliest first.

        Raises:
            Throttled: it has not been verified before, and too many checks are in progress.
        """
        marks = {hmac.digest(self._key, f"{client_id}\0{each}\0{secret}".encode(), "sha256"): each for each in kept}
        if any(map(self._remembers, marks)):
            return True
        for mark, each in marks.items():
            if await self._is_proven(mark, secret, each):
                return True
        return False

    async def _is_proven(self, mark: bytes, secret: str, kept: str) -> bool:
        if mark not in self._under_way:
            if len(self._under_way) >= UNDER_WAY:
                raise Throttled(
                    "Too many client secrets are being checked at once. Try again in a second.", retry_after=1
                )
            self._under_way[mark] = asyncio.ensure_future(self._prove(mark, secret, kept))
        return await asyncio.shield(self._under_way[mark])

    async def _prove(self, mark: bytes, secret: str, kept: str) -> bool:
        try:
            async with self._slots:
                right = await verify_secret(secret, kept)
        finally:
            del self._under_way[mark]
        if right:
            self._proven.put(mark, self.clock.monotonic())
        return right

    def _remembers(self, mark: bytes) -> bool:
        now, used_at = self.clock.monotonic(), self._proven.get(mark)
        if used_at is None or now - used_at >= REMEMBERED_FOR:
            return False
        self._proven.put(mark, now)
        return True


async def _scrypt(secret: str, salt: bytes) -> bytes:
    """Slow on purpose (RFC 7914), so in a thread."""
    return await asyncio.to_thread(hashlib.scrypt, secret.encode(), salt=salt, n=2**14, r=8, p=1)
