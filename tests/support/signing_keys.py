"""The signing keys port kept in memory, for tests without I/O; it passes the same contract suite as the real ones."""

import asyncio
from datetime import datetime
from functools import partial

from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256

from shared.kernel.refusals import Unavailable
from shared.ports.clock import Clock
from shared.ports.signing_keys import Jwk, KeyVersion, Signer, in_turn


class InMemorySigningKeys:
    """Versions in a dictionary, the first of them made at once. `available = False` makes all of it `Unavailable`.

    `signed` counts signatures.
    """

    def __init__(self, clock: Clock) -> None:
        self.available = True
        self.signed = 0
        self._clock = clock
        self._keys: dict[KeyVersion, rsa.RSAPrivateKey] = {}
        self.add()

    def add(self) -> None:
        """Rotate: a new version, created now."""
        version = KeyVersion(str(len(self._keys)), self._clock.now())
        self._keys[version] = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    def withdraw(self, kid: str) -> None:
        """Take a version back."""
        self._keys = {version: key for version, key in self._keys.items() if _jwk(key).kid != kid}

    async def published(self) -> tuple[Jwk, ...]:
        return tuple(_jwk(key) for key in await self._in_turn())

    async def signer(self) -> Signer:
        key = (await self._in_turn())[0]
        return Signer(_jwk(key).kid, partial(self._sign, key))

    async def probe(self) -> None:
        await self._in_turn()

    async def _in_turn(self) -> tuple[rsa.RSAPrivateKey, ...]:
        now = await self._travel()
        return tuple(self._keys[version] for version in in_turn(self._keys, now))

    async def _sign(self, key: rsa.RSAPrivateKey, signing_input: bytes) -> bytes:
        await self._travel()
        self.signed += 1
        return key.sign(signing_input, padding.PKCS1v15(), SHA256())

    async def _travel(self) -> datetime:
        await asyncio.sleep(0)
        if not self.available:
            raise Unavailable("The signing keys do not answer. Try again in a few seconds.")
        return self._clock.now()


def _jwk(key: rsa.RSAPrivateKey) -> Jwk:
    numbers = key.public_key().public_numbers()
    return Jwk.of(numbers.n, numbers.e)
