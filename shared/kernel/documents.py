"""How documents are read: what callers ask of us to the letter, what other systems send as far as we know it."""

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel


class Asked(BaseModel):
    """What somebody asks us to take. A field that we do not know is refused, so that a typing error is not lost."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=to_camel,
        populate_by_name=True,
        hide_input_in_errors=True,
        defer_build=True,  # until it is first used: the import is the cold start
    )


class Foreign(BaseModel):
    """What another system sends us: claims of its tokens, answers of its API. What we do not know of it is left out.

    It becomes a model where it comes in, so that no dict travels inward, and it never stands in an error's text.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="ignore",
        allow_inf_nan=False,
        hide_input_in_errors=True,
        defer_build=True,  # until it is first used: the import is the cold start
    )
