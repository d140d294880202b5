"""The storage account: where it is, and what proves to it who asks."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

from shared.kernel.addresses import is_base

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential

_STORAGE = "https://storage.azure.com/.default"
_COSMOS = "https://cosmos.azure.com/.default"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A storage account with a credential, or in development with its key.

    Raises:
        ValueError: the endpoint is neither https nor on this machine.
    """

    endpoint: str
    """Such as `https://{account}.table.core.windows.net`, without a slash at its end."""
    credential: "AsyncTokenCredential | None" = None
    """Proves the app's identity."""
    name: str = ""
    """The account's name, which a signature contains."""
    key: str = field(default="", repr=False)
    """The account's key in base64."""

    def __post_init__(self) -> None:
        if not is_base(urlsplit(self.endpoint)):
            raise ValueError("The tables' endpoint must be an https address, or one on this machine.")

    @classmethod
    def from_connection_string(cls, text: str) -> Self:
        """The account of a connection string.

        https://learn.microsoft.com/azure/storage/common/storage-configure-connection-string
        """
        parts = dict(part.partition("=")[::2] for part in text.split(";"))
        name, scheme = parts.get("AccountName", ""), parts.get("DefaultEndpointsProtocol", "https")
        endpoint = parts.get("TableEndpoint") or f"{scheme}://{name}.table.{parts.get('EndpointSuffix')}"
        return cls(endpoint=endpoint.rstrip("/"), name=name, key=parts.get("AccountKey", ""))

    @property
    def scope(self) -> str:
        """The scope of access tokens for it.

        https://learn.microsoft.com/azure/storage/tables/authorize-access-azure-active-directory
        https://learn.microsoft.com/azure/cosmos-db/table/security/how-to-grant-data-plane-role-based-access
        """
        host = urlsplit(self.endpoint).hostname or ""
        return _COSMOS if ".table.cosmos." in host or ".table.cosmosdb." in host else _STORAGE
