"""Signing keys that last a day: made by this service, certified and sealed by the vault, and kept in a table.

A vault signs some 400 times a second, and each sign-in takes two signatures. Here the vault is asked a few times a day
instead. One row of the table is one key pair:

    the public half, and when it was made     certified by a signature of the vault's signing key
    the private half                          sealed by an AES key, which the vault wraps by another key of its own

So whoever reads the table reads ciphertext, and whoever writes to it cannot add a key: the certificate is missing. The
rule of rotation is that of `shared.ports.signing_keys`; until a first key is known to all, the vault signs, and its own
keys stay published, so that the setting can be changed back. What an attacker gains is in docs/decisions/0038.
"""

import asyncio
import contextlib
import json
import logging
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cached_property, partial
from typing import TYPE_CHECKING, Final

from shared.adapters.key_vault import KeyVaultKeys
from shared.adapters.rsa_keys import from_pkcs8, generate, jwk_of, pkcs8, sign, verifies
from shared.adapters.trusted_list import FRESH, PATIENCE, TrustedList
from shared.kernel.encoding import base64url, from_base64url
from shared.kernel.refusals import Unavailable
from shared.ports.clock import Clock
from shared.ports.record import Record
from shared.ports.signing_keys import (
    PUBLISHED_AHEAD,
    TOKENS_LIVE_FOR,
    Jwk,
    KeyVersion,
    Signer,
    published_versions,
)
from shared.ports.table import Insert, Key, Remove, Row, RowChanged, RowExists, Table
from shared.ports.wrapping import Wrapped, Wrapping

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

_log = logging.getLogger(__name__)

LASTS: Final = timedelta(days=1)
"""The age of the newest key at which another one is made."""

SIGNS_UNTIL: Final = PUBLISHED_AHEAD + LASTS + LASTS
"""The age at which a key signs no more. If no other one could be made for a day, the vault signs."""

CERTIFICATES_LAST: Final = SIGNS_UNTIL + TOKENS_LIVE_FOR
"""The age at which a key verifies nothing any more, whoever has kept its row and puts it back.

So long the vault's keys stay published after their turn: they verify the certificates of ours.
"""

_PARTITION: Final = "signing"
_PREFIX = "day:"
_AES_BITS: Final = 256
_NONCE_BYTES: Final = 12
"""Of AES-GCM (NIST SP 800-38D, section 8.2). Each AES key seals once."""


class SealedKey(Record):
    """A key pair at rest. Octets are in base64url."""

    n: str
    e: str
    created_at: datetime
    certified_by: str
    certificate: str
    wrapped_by: str
    wrapped_key: str
    nonce: str
    sealed: str

    @cached_property
    def jwk(self) -> Jwk:
        """The public half, made once: each token names it."""
        return Jwk.of(*(int.from_bytes(from_base64url(each)) for each in (self.n, self.e)))


def certified(jwk: Jwk, created_at: datetime) -> bytes:
    """What a certificate signs: no signing input of a JWS (RFC 7515, section 5.1), since it has blanks."""
    return b"azure-sso signing key: " + json.dumps([created_at.isoformat(), jwk.n, jwk.e]).encode()


class EnvelopeKeys:
    """See `shared.ports.signing_keys.SigningKeys` for what it promises.

    Args:
        vault: the vault's own keys. They are kept published for `CERTIFICATES_LAST`.
        wrapping: wraps the AES keys.
        table: where the sealed keys are.
        clock: the time.
    """

    def __init__(self, *, vault: KeyVaultKeys, wrapping: Wrapping, table: Table, clock: Clock) -> None:
        self._vault = vault
        vault.kept_for = CERTIFICATES_LAST
        self._wrapping = wrapping
        self._table = table
        self._clock = clock
        self._keys = TrustedList(self._listed, clock)
        self._private: dict[str, RSAPrivateKey] = {}
        self._unsealing = asyncio.Lock()

    async def published(self) -> tuple[Jwk, ...]:
        """See the port."""
        theirs = await self._vault.published()
        ours = [key.jwk for key in await self._known()]
        signing = await self._signing()
        if signing is None:
            return (*theirs, *ours)
        return (signing.jwk, *(jwk for jwk in ours if jwk != signing.jwk), *theirs)

    async def signer(self) -> Signer:
        """See the port."""
        key = await self._signing()
        if key is None:
            return await self._vault.signer()
        return Signer(key.jwk.kid, partial(sign, await self._unsealed(key)))

    async def probe(self) -> None:
        """See the port."""
        await self._vault.probe()
        await self._keys.renewed()
        await self.signer()

    async def _signing(self) -> SealedKey | None:
        """The newest key that every relying party knows; None if they know none, or it is too old: the vault signs."""
        keys, now = await self._known(), self._clock.now()
        known = next((key for key in keys if _version(key).known_to_all(now)), None)
        return known if known is not None and now < known.created_at + SIGNS_UNTIL else None

    async def _known(self) -> tuple[SealedKey, ...]:
        """The keys that belong in the JWKS, newest first, of those whose authority the vault still has."""
        authorities = {jwk.kid for jwk in await self._vault.published()}
        keys, since = await self._keys.entries(), self._clock.now() - CERTIFICATES_LAST
        valid = {v: key for v, key in keys.items() if key.certified_by in authorities and since < key.created_at}
        return tuple(valid[version] for version in published_versions(valid, self._clock.now()))

    async def _listed(self) -> tuple[Mapping[KeyVersion, SealedKey], timedelta]:
        """Read the keys, and make one if it is time. One that cannot be made now is made a little later."""
        rows = await self._table.under(_PARTITION, _PREFIX)
        keys = await self._certified_ones(rows)
        now = self._clock.now()
        today = _row_of(now)
        if today in {row.key for row in rows} or any(now < version.created_at + LASTS for version in keys):
            return keys, FRESH
        try:
            made = await self._make(now)
            await self._remove_old(rows, keys)
        except Unavailable:
            return keys, PATIENCE
        except RowExists:  # by another instance, at the same time
            return keys, timedelta()
        return {**keys, _version(made): made}, FRESH

    async def _certified_ones(self, rows: tuple[Row, ...]) -> dict[KeyVersion, SealedKey]:
        """The keys that the vault has certified. Anything else was not made by this service."""
        authorities = {jwk.kid: jwk for jwk in await self._vault.published()}
        keys: dict[KeyVersion, SealedKey] = {}
        for row in rows:
            key = _read(row)
            authority = authorities.get(key.certified_by) if key else None
            if key is None or authority is None or not _is_certified(key, authority):
                _log.error("signing_key_refused row=%s", row.key.row)
                continue
            keys[_version(key)] = key
        return keys

    async def _make(self, now: datetime) -> SealedKey:
        """Make a key and store it. Of several instances one succeeds on a day.

        Raises:
            Unavailable: the vault or the table does not respond.
            RowExists: another instance was faster.
        """
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        private = await asyncio.to_thread(generate)
        jwk = jwk_of(private)
        content, authority = certified(jwk, now), await self._vault.signer()
        certificate = await authority.sign(content)
        aes_key, nonce = AESGCM.generate_key(_AES_BITS), secrets.token_bytes(_NONCE_BYTES)
        wrapped = await self._wrapping.wrap(aes_key)
        key = SealedKey(
            n=jwk.n,
            e=jwk.e,
            created_at=now,
            certified_by=authority.kid,
            certificate=base64url(certificate),
            wrapped_by=wrapped.version,
            wrapped_key=base64url(wrapped.octets),
            nonce=base64url(nonce),
            sealed=base64url(AESGCM(aes_key).encrypt(nonce, pkcs8(private), content)),
        )
        await self._table.write(Insert(_row_of(now), key.document()))
        return key

    async def _remove_old(self, rows: tuple[Row, ...], keys: Mapping[KeyVersion, SealedKey]) -> None:
        """Remove the keys that are no longer published, and stay removed when somebody else is faster."""
        published = {keys[version].n for version in published_versions(keys, self._clock.now())}
        for row in rows:
            key = _read(row)
            if key is not None and _version(key) in keys and key.n not in published:
                with contextlib.suppress(RowChanged):
                    await self._table.write(Remove(row))

    async def _unsealed(self, key: SealedKey) -> "RSAPrivateKey":
        """The private half, from memory, or from the vault once.

        Raises:
            Unavailable: the vault does not respond, or the row is damaged.
        """
        async with self._unsealing:
            private = self._private.get(key.n)
            if private is None:
                wrapped = Wrapped(key.wrapped_by, from_base64url(key.wrapped_key))
                private = _opened(key, await self._wrapping.unwrap(wrapped))
                self._private = {key.n: private}
            return private


def _row_of(now: datetime) -> Key:
    """The row of a day's key, of which there is one."""
    return Key(_PARTITION, f"{_PREFIX}{now:%Y-%m-%d}")


def _version(key: SealedKey) -> KeyVersion:
    return KeyVersion(name=key.n, created_at=key.created_at)


def _read(row: Row) -> SealedKey | None:
    """The key of a row; None if it is malformed."""
    try:
        key = SealedKey.read(row)
        known = key.jwk.n == key.n
    except ValueError:  # pydantic's is one, too
        return None
    return key if known else None


def _is_certified(key: SealedKey, authority: Jwk) -> bool:
    try:
        certificate = from_base64url(key.certificate)
    except ValueError:
        return False
    return verifies(authority, certificate, certified(key.jwk, key.created_at))


def _opened(key: SealedKey, aes_key: bytes) -> "RSAPrivateKey":
    """The private half, if it is that of the public one.

    Raises:
        Unavailable: it is not, or cannot be decrypted.
    """
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    content = certified(key.jwk, key.created_at)
    try:
        sealed, nonce = from_base64url(key.sealed), from_base64url(key.nonce)
        private = from_pkcs8(AESGCM(aes_key).decrypt(nonce, sealed, content))
    except (InvalidTag, ValueError) as error:
        raise Unavailable("A signing key is damaged. The operators of this service must remove its row.") from error
    if jwk_of(private) != key.jwk:
        raise Unavailable("A signing key is another's. The operators of this service must remove its row.")
    return private
