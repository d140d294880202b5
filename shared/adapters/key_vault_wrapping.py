"""A wrapping key in Azure Key Vault: RSA-OAEP with SHA-256, and the vault alone unwraps.

The app's identity needs the role Key Vault Crypto User on it, as on the signing key.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from shared.adapters.key_vault import VaultClient, asked
from shared.ports.wrapping import Wrapped

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential
    from azure.core.pipeline.transport import AsyncHttpTransport


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
        self._vault = VaultClient(vault_url, credential, transport)
        self._key_name = key_name

    async def wrap(self, key: bytes) -> Wrapped:
        """See the port."""
        from azure.keyvault.keys.crypto import KeyWrapAlgorithm

        async with asked():
            newest = (await self._vault.opened.get_key(self._key_name)).properties.version or ""
            client = self._vault.opened.get_cryptography_client(self._key_name, key_version=newest)
            wrapped = await client.wrap_key(KeyWrapAlgorithm.rsa_oaep_256, key)
        return Wrapped(newest, wrapped.encrypted_key)

    async def unwrap(self, wrapped: Wrapped) -> bytes:
        """See the port."""
        from azure.keyvault.keys.crypto import KeyWrapAlgorithm

        async with asked():
            client = self._vault.opened.get_cryptography_client(self._key_name, key_version=wrapped.version)
            unwrapped = await client.unwrap_key(KeyWrapAlgorithm.rsa_oaep_256, wrapped.octets)
        return unwrapped.key

    async def close(self) -> None:
        """Close the connections."""
        await self._vault.close()
