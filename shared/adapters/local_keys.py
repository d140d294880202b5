"""Signing keys in files, for development only: anyone who can read the directory can sign as this service.

Each `*.pem` file is a version, as old as the file; the first one is created when needed. To rotate, add one:
`openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out 2.pem`. To withdraw one, delete it. The directory is
read again at each call, so nothing needs a restart.
"""

import asyncio
import contextlib
import os
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from shared.adapters.rsa_keys import generate, jwk_of, sign
from shared.kernel.refusals import Unavailable
from shared.ports.clock import Clock
from shared.ports.signing_keys import MINIMUM_BITS, Jwk, KeyVersion, Signer, in_turn

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

_FIRST = "1.pem"
_UNUSABLE = "The directory of the signing keys cannot be used. Let this service write there."


@dataclass(frozen=True, slots=True)
class _KeyPair:
    jwk: Jwk
    private: "RSAPrivateKey"


class LocalKeys:
    """See `shared.ports.signing_keys.SigningKeys` for what it promises.

    Args:
        directory: the folder of the files; created if it is missing.
        clock: the time.
    """

    def __init__(self, directory: Path, clock: Clock) -> None:
        self._directory = directory
        self._clock = clock
        self._key_pairs: Mapping[KeyVersion, _KeyPair] = {}
        self._reading = asyncio.Lock()

    async def published(self) -> tuple[Jwk, ...]:
        """See the port."""
        return tuple(key_pair.jwk for key_pair in await self._in_turn())

    async def signer(self) -> Signer:
        """See the port."""
        current = (await self._in_turn())[0]
        return Signer(current.jwk.kid, partial(sign, current.private))

    async def probe(self) -> None:
        """See the port."""
        await self._in_turn()

    async def _in_turn(self) -> tuple[_KeyPair, ...]:
        async with self._reading:
            versions = self._versions()  # a look takes less than the way to a thread
            if not versions or versions != self._key_pairs.keys():
                self._key_pairs = await asyncio.to_thread(self._read)
            return tuple(self._key_pairs[version] for version in in_turn(self._key_pairs, self._clock.now()))

    def _versions(self) -> set[KeyVersion]:
        """The keys in the directory."""
        with _in_our_words(_UNUSABLE):
            return {_version(file) for file in _files(self._directory) if file.name.endswith(".pem")}

    def _read(self) -> dict[KeyVersion, _KeyPair]:
        """The key pairs of the directory; an unchanged file is not parsed again."""
        if not self._versions():
            with _in_our_words(_UNUSABLE):
                _make_first(self._directory, self._clock.now())
        known = self._key_pairs
        return {version: known.get(version) or _load(self._directory / version.name) for version in self._versions()}


def _files(directory: Path) -> Iterator[os.DirEntry[str]]:
    """The files of a directory, without pathlib, which takes five times as long; none if it does not exist."""
    try:
        return os.scandir(directory)
    except FileNotFoundError:
        return iter(())


def _version(file: os.DirEntry[str]) -> KeyVersion:
    return KeyVersion(file.name, datetime.fromtimestamp(file.stat().st_mtime, UTC))


def _make_first(directory: Path, now: datetime) -> None:
    """Make the first version, unless another process is faster.

    Only the owner can read temporary files (mode 0600). Creating a link is atomic, and only one process succeeds.
    """
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    private = generate()
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=directory, prefix=".", suffix=".new") as draft:
        draft.write(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        draft.flush()
        os.utime(draft.name, (now.timestamp(), now.timestamp()))
        with contextlib.suppress(FileExistsError):
            (directory / _FIRST).hardlink_to(draft.name)


def _load(file: Path) -> _KeyPair:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    with _in_our_words(f"The signing key {file.name} is not an RSA key of {MINIMUM_BITS} bits or more. Remove it."):
        private = load_pem_private_key(file.read_bytes(), password=None)
        if not isinstance(private, RSAPrivateKey) or private.key_size < MINIMUM_BITS:
            raise ValueError(file.name)
    return _KeyPair(jwk_of(private), private)


@contextlib.contextmanager
def _in_our_words(detail: str) -> Iterator[None]:
    """The one place where the errors of files and of `cryptography` become ours.

    Raises:
        Unavailable: all of them. A key with a password is a `TypeError` to `cryptography`.
    """
    try:
        yield
    except (OSError, ValueError, TypeError) as error:
        raise Unavailable(detail) from error
