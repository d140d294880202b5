"""The store to back up or restore, how to authenticate, and what its errors mean to an operator.

The service's own settings name the store. With a URL, the operator's own sign-in opens it: that of the az CLI, or a
managed identity.
"""

import json
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Annotated, Any, Final

from azure.core.exceptions import AzureError, ClientAuthenticationError, HttpResponseError, ResourceNotFoundError
from azure.data.tables.aio import TableServiceClient
from azure.identity.aio import DefaultAzureCredential
from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError

from shared.kernel.faults import faults_of
from shared.settings import Address, ConnectionString

_PATIENT: Final[dict[str, Any]] = {
    "connection_timeout": 5,
    "read_timeout": 60,
    "retry_connect": 2,
    "retry_total": 6,
}
"""No person waits for a response, so a busy store is retried for long; a missing one is reported soon."""

_FORBIDDEN: Final = 403


class StoreError(Exception):
    """The store is not named, not reachable, or refuses us; the message is a sentence that says what to do."""


def _https(url: str) -> str:
    if not url.startswith("https://"):
        raise ValueError("It must be https. Name an Azurite by SSO_TABLES_CONNECTION_STRING.")
    return url


class Place(BaseModel):
    """The settings that locate the tables; `shared.settings.Settings` explains them."""

    model_config = ConfigDict(frozen=True, extra="ignore", alias_generator=lambda name: f"SSO_{name.upper()}")

    tables_url: Annotated[Address, AfterValidator(_https)] | None = None
    tables_connection_string: ConnectionString | None = None


def find_place(environment: Mapping[str, str], local_settings: Path) -> Place:
    """The location of the tables, from the environment or else from the settings of `make run`.

    Raises:
        StoreError: neither names it, or a setting is invalid.
    """
    names = {str(field.alias) for field in Place.model_fields.values()}
    given = {name: environment[name] for name in names if environment.get(name)}
    if not given and local_settings.exists():
        values = json.loads(local_settings.read_text(encoding="utf-8"))["Values"]
        given = {name: values[name] for name in names if values.get(name)}
    if len(given) != 1:
        raise StoreError("Set SSO_TABLES_URL, or SSO_TABLES_CONNECTION_STRING, but not both, to say which store.")
    try:
        return Place.model_validate(given)
    except ValidationError as error:
        raise StoreError(" ".join(f"{fault.field}: {fault.detail}" for fault in faults_of(error))) from None


@asynccontextmanager
async def opened(place: Place) -> AsyncIterator[TableServiceClient]:
    """The store, for the length of a `with` block.

    Raises:
        StoreError: for every refusal of the store in the block.
    """
    with _in_our_words():
        if place.tables_connection_string is not None:
            secret = place.tables_connection_string.get_secret_value()
            async with TableServiceClient.from_connection_string(secret, **_PATIENT) as service:
                yield service
        else:
            async with (
                DefaultAzureCredential() as credential,
                TableServiceClient(place.tables_url or "", credential=credential, **_PATIENT) as service,
            ):
                yield service


@contextmanager
def _in_our_words() -> Iterator[None]:
    try:
        yield
    except ClientAuthenticationError as error:
        raise StoreError(_LOCKED) from error
    except ResourceNotFoundError as error:
        raise StoreError("The tables are not there. Is it the right store?") from error
    except HttpResponseError as error:
        if error.status_code == _FORBIDDEN:
            raise StoreError(_LOCKED) from error
        code = getattr(error, "error_code", None) or error.status_code
        raise StoreError(f"The store refuses it with {getattr(code, 'value', code)}. It is safe to repeat.") from error
    except (AzureError, TimeoutError) as error:
        raise StoreError("The store cannot be reached. Is the address right, and may this machine call it?") from error


_LOCKED: Final = (
    "The store does not let you in. Sign in with `az login` as somebody with the role Storage Table Data Contributor "
    "(Storage Table Data Reader is enough to export), from a network that its firewall admits."
)
