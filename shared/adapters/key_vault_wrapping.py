"""A wrapping key in Azure Key Vault: RSA-OAEP with SHA-256, and the vault alone unwraps.

The app's identity needs the role Key Vault Crypto User on it, as on the signing key.
"""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from shared.adapters.azure_sdk import RESPONSIVE
from shared.adapters.key_vault import SECONDS, in_our_words
from shared.ports.wrapping import Wrapped

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential
    from azure.core.pipeline.transport import AsyncHttpTransport
    from azure.keyvault.keys.aio import KeyClient


class KeyVaultWrapping:
    """See `shared.ports.wrapping.Wrapping`.

    Args:
        vault_url: `https://{vault}.vault.azure.net`.
        key_name: the key's name in it.
        credential: proves the app's identity.
        transport: makes the transport of requests; the SDK's own if None.
    """

    def __init__(
        self,
        *,
        vault_url: str,
        key_name: str,
        credential: "AsyncTokenCredential",
        transport: "Callable[[], AsyncHttpTransport[Any, Any]] | None" = None,
    ) -> None:
        self._vault_url = vault_url
        self._key_name = key_name
        self._credential = credential
        self._transport = transport
        self._client: KeyClient | None = None

    async def wrap(self, key: bytes) -> Wrapped:
        """See the port."""
        from azure.keyvault.keys.crypto import KeyWrapAlgorithm

        with in_our_words():
            async with asyncio.timeout(SECONDS):
                newest = (await self._opened().get_key(self._key_name)).properties.version or ""
                client = self._opened().get_cryptography_client(self._key_name, key_version=newest)
                wrapped = await client.wrap_key(KeyWrapAlgorithm.rsa_oaep_256, key)
        return Wrapped(newest, wrapped.encrypted_key)

    async def unwrap(self, wrapped: Wrapped) -> bytes:
        """See the port."""
        from azure.keyvault.keys.crypto import KeyWrapAlgorithm

        with in_our_words():
            async with asyncio.timeout(SECONDS):
                client = self._opened().get_cryptography_client(self._key_name, key_version=wrapped.version)
                unwrapped = await client.unwrap_key(KeyWrapAlgorithm.rsa_oaep_256, wrapped.octets)
        return unwrapped.key

    async def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.close()
            self._client = None

    def _opened(self) -> "KeyClient":
        if self._client is None:
            from azure.keyvault.keys.aio import KeyClient

            transport = self._transport() if self._transport else None
            self._client = KeyClient(self._vault_url, self._credential, transport=transport, **RESPONSIVE)
        return self._client
