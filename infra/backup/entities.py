"""One entity as JSON that keeps the type of every property, in the notation that the store itself speaks.

A string, a Boolean and a 32-bit integer stand as they are; every other property has an `@odata.type` beside it
(https://learn.microsoft.com/rest/api/storageservices/payload-format-for-table-service-operations).
`Timestamp` and ETag are not kept: they are the store's own and new after every write.
"""

import math
from base64 import b64decode, b64encode
from collections.abc import Mapping
from datetime import datetime
from typing import Final, Protocol, runtime_checkable
from uuid import UUID

from azure.data.tables import EdmType, EntityProperty
from pydantic import JsonValue

_TYPE: Final = "@odata.type"


@runtime_checkable
class _AsStored(Protocol):
    """A date as the SDK reads it, with the text that the store keeps: seven digits of a second, Python has six."""

    tables_service_value: str


def to_json(entity: Mapping[str, object]) -> dict[str, JsonValue]:
    """The entity as JSON.

    Args:
        entity: as the SDK reads it.

    Raises:
        ValueError: it has a property of a type that Table Storage did not know when this was written.
    """
    document: dict[str, JsonValue] = {}
    for name, value in entity.items():
        edm_type, document[name] = _typed(value)
        if edm_type is not None:
            document[name + _TYPE] = edm_type.value
    return document


def from_json(document: Mapping[str, JsonValue]) -> dict[str, object]:
    """The entity as the SDK writes it.

    Raises:
        ValueError: `to_json` does not write this.
    """
    if not all(isinstance(document.get(key), str) for key in ("PartitionKey", "RowKey")):
        raise ValueError("It has no PartitionKey and RowKey.")
    return {
        name: _property(value, document.get(name + _TYPE))
        for name, value in document.items()
        if not name.endswith(_TYPE)
    }


def _typed(value: object) -> tuple[EdmType | None, JsonValue]:
    match value:
        case EntityProperty(int(number), EdmType.INT64):
            return EdmType.INT64, str(number)  # JSON's numbers are doubles to many readers
        case str() | int():  # a bool is an int
            return None, value
        case float():
            return EdmType.DOUBLE, value if math.isfinite(value) else _not_finite(value)
        case bytes():
            return EdmType.BINARY, b64encode(value).decode()
        case UUID():
            return EdmType.GUID, str(value)
        case datetime() if isinstance(value, _AsStored):
            return EdmType.DATETIME, value.tables_service_value
    raise ValueError("It has a property of a type that is not known here.")


def _not_finite(number: float) -> str:
    """JSON has no such numbers; OData spells them so."""
    if math.isnan(number):
        return "NaN"
    return "Infinity" if number > 0 else "-Infinity"


def _property(value: JsonValue, edm_type: JsonValue) -> object:
    match edm_type, value:
        case None, bool() | str():
            return value
        case None, int() if -(2**31) <= value < 2**31:
            return value
        case EdmType.BINARY, str():
            return b64decode(value, validate=True)
        case EdmType.DOUBLE, float() | str():
            return EntityProperty(value, EdmType.DOUBLE)
        case EdmType.INT64 | EdmType.GUID | EdmType.DATETIME, str():
            return EntityProperty(value, edm_type)
    raise ValueError("A property has a type or a value that no store gives.")
