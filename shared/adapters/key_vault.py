"""Signing keys in Azure Key Vault: the vault signs, and no private key ever leaves it.

The versions of one key of the vault are the versions of the port. The app's identity needs the role Key Vault Crypto
User on it: to list the versions, to read their public halves and to sign.

The list is cached for minutes, and for an hour while the vault is unavailable: tokens can still be verified when none
can be signed. Public halves never change and are read once. `VaultClient` and `asked` serve the wrapping key, too.
"""

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from shared.adapters.azure_sdk import RESPONSIVE
from shared.adapters.trusted_list import FRESH, PATIENCE, TrustedList
from shared.kernel.refusals import Unavailable
from shared.ports.clock import Clock
from shared.ports.signing_keys import (
    MINIMUM_BITS,
    TOKENS_LIVE_FOR,
    Jwk,
    KeyVersion,
    Signer,
    in_turn,
    published_versions,
)

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential
    from azure.core.pipeline.transport import AsyncHttpTransport
    from azure.keyvault.keys import KeyProperties
    from azure.keyvault.keys.aio import KeyClient
    from azure.keyvault.keys.crypto.aio import CryptographyClient

_SECONDS = 5
"""How long a request may take in total. The SDK would obey any Retry-After."""

_REFUSED = {401, 403, 404}
"""The vault's statuses if the app's role, the key or its version is wrong
(https://learn.microsoft.com/azure/key-vault/general/rest-error-codes)."""


class VaultClient:
    """The SDK's client of a vault. It belongs to the event loop of its first use, like aiohttp's.

    Args:
        url: `https://{vault}.vault.azure.net`.
        credential: proves the app's identity.
        transport: makes the transport of requests; the SDK's own if None.
    """

    def __init__(
        self,
        url: str,
        credential: "AsyncTokenCredential",
        transport: "Callable[[], AsyncHttpTransport[Any, Any]] | None",
    ) -> None:
        self._url = url
        self._credential = credential
        self._transport = transport
        self._client: KeyClient | None = None

    @property
    def opened(self) -> "KeyClient":
        """The client, open."""
        if self._client is None:
            from azure.keyvault.keys.aio import KeyClient

            transport = self._transport() if self._transport else None
            self._client = KeyClient(self._url, self._credential, transport=transport, **RESPONSIVE)
        return self._client

    async def close(self) -> None:
        """Close the connections. They open again when they are needed."""
        if self._client is not None:
            await self._client.close()
            self._client = None


class KeyVaultKeys:
    """See `shared.ports.signing_keys.SigningKeys` for what it promises.

    Args:
        vault_url: `https://{vault}.vault.azure.net`.
        key_name: the key's name in it.
        credential: proves the app's identity.
        clock: the time.
        transport: makes the transport of requests; the SDK's own if None.
    """

    def __init__(
        self,
        *,
        vault_url: str,
        key_name: str,
        credential: "AsyncTokenCredential",
        clock: Clock,
        transport: "Callable[[], AsyncHttpTransport[Any, Any]] | None" = None,
    ) -> None:
        self._vault = VaultClient(vault_url, credential, transport)
        self._key_name = key_name
        self._clock = clock
        self.kept_for = TOKENS_LIVE_FOR
        """How long a version stays published after its turn."""
        self._cryptography: dict[str, CryptographyClient] = {}
        self._public_halves: dict[str, Jwk | None] = {}
        self._keys = TrustedList(self._listed, clock)

    async def published(self) -> tuple[Jwk, ...]:
        """See the port."""
        return tuple(jwk for _, jwk in await self._in_turn())

    async def signer(self) -> Signer:
        """See the port."""
        version, jwk = (await self._in_turn())[0]
        return Signer(jwk.kid, partial(self._sign, version.name))

    async def probe(self) -> None:
        """See the port."""
        await self._keys.renewed()
        await self._in_turn()

    async def close(self) -> None:
        """Close the connections."""
        await self._vault.close()
        self._cryptography.clear()

    async def _in_turn(self) -> tuple[tuple[KeyVersion, Jwk], ...]:
        keys = await self._keys.entries()
        return tuple((version, keys[version]) for version in in_turn(keys, self._clock.now(), self.kept_for))

    async def _listed(self) -> tuple[Mapping[KeyVersion, Jwk], timedelta]:
        """Read the versions. Those that cannot sign RS256 are skipped."""
        now = self._clock.now()
        keys: dict[KeyVersion, Jwk] = {}
        async with asked():
            listed = [version async for version in self._versions(now)]
            for version in sorted(listed, key=lambda each: each.created_at, reverse=True):
                if version in published_versions([*keys, version], now, self.kept_for):
                    jwk = await self._public_half(version.name)
                    keys |= {version: jwk} if jwk else {}
        return keys, FRESH if keys else PATIENCE

    async def _versions(self, now: datetime) -> AsyncIterator[KeyVersion]:
        async for properties in self._vault.opened.list_properties_of_key_versions(self._key_name):
            yield _version(properties, now)

    async def _public_half(self, version: str) -> Jwk | None:
        """The public half of a version, or None if it is no RSA key that RS256 may use."""
        if version not in self._public_halves:
            # The SDK sets the members of its JsonWebKey without declaring them.
            key: Any = (await self._vault.opened.get_key(self._key_name, version)).key
            self._public_halves[version] = _jwk(key)
        return self._public_halves[version]

    async def _sign(self, version: str, signing_input: bytes) -> bytes:
        from azure.core.exceptions import HttpResponseError
        from azure.keyvault.keys.crypto import SignatureAlgorithm

        digest = hashlib.sha256(signing_input).digest()
        async with asked():
            try:
                signed = await self._signing_client(version).sign(SignatureAlgorithm.rs256, digest)
            except HttpResponseError as error:
                if error.status_code in _REFUSED:
                    # Perhaps this version was disabled a moment ago: the next caller finds another.
                    self._keys.doubt()
                raise
        return signed.signature

    def _signing_client(self, version: str) -> "CryptographyClient":
        """One per version, kept: each reads the version once before it signs."""
        if version not in self._cryptography:
            client = self._vault.opened.get_cryptography_client(self._key_name, key_version=version)
            self._cryptography[version] = client
        return self._cryptography[version]


def _version(properties: "KeyProperties", now: datetime) -> KeyVersion:
    return KeyVersion(
        name=properties.version or "",
        # The vault always returns it; the SDK's types do not say so.
        created_at=properties.created_on or now,
        not_before=properties.not_before,
        expires_at=properties.expires_on,
        enabled=bool(properties.enabled),
    )


def _jwk(key: Any) -> Jwk | None:
    if key.kty not in {"RSA", "RSA-HSM"}:
        return None
    modulus = int.from_bytes(key.n)
    return Jwk.of(modulus, int.from_bytes(key.e)) if modulus.bit_length() >= MINIMUM_BITS else None


@contextlib.asynccontextmanager
async def asked() -> AsyncGenerator[None]:
    """Ask a vault, within seconds. The one place where the SDK's errors become ours.

    Raises:
        Unavailable: all of them. The SDK raises `ValueError` if an answer asks for a token that is not for a vault.
    """
    from azure.core.exceptions import AzureError, HttpResponseError

    try:
        async with asyncio.timeout(_SECONDS):
            yield
    except HttpResponseError as error:
        if error.status_code in _REFUSED:
            raise Unavailable(
                "The vault of the signing keys denies access. "
                "The operators of this service must check the key and its role."
            ) from error
        raise Unavailable("The vault of the signing keys is unavailable. Try again in a few seconds.") from error
    except (AzureError, TimeoutError, ValueError) as error:
        raise Unavailable("The vault of the signing keys cannot be reached. Try again in a few seconds.") from error
