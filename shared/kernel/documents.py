"""Base models of documents: strict for requests to us, lenient for responses of other systems."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, ValidationError, ValidatorFunctionWrapHandler, WrapValidator
from pydantic.alias_generators import to_camel


class Asked(BaseModel):
    """A document that a caller sends us. An unknown field is refused, so that a typing error does not go unnoticed."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=to_camel,
        populate_by_name=True,
        hide_input_in_errors=True,
        defer_build=True,  # until it is first used: the import is the cold start
    )


class Foreign(BaseModel):
    """A document of another system: claims of its tokens, responses of its API. Unknown fields are ignored.

    It becomes a model at the border, so that no dict travels inward, and its values never appear in an error's text.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="ignore",
        allow_inf_nan=False,
        hide_input_in_errors=True,
        defer_build=True,  # until it is first used: the import is the cold start
    )


def _if_readable(claim: object, read: ValidatorFunctionWrapHandler) -> object:
    try:
        return read(claim)
    except ValidationError:
        return None


type Readable = Annotated[str | None, WrapValidator(_if_readable)]
"""A text on which no check depends: one that cannot be read counts as missing, which admits nobody."""
