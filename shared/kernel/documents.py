"""How documents are written: camelCase, and nothing unknown is taken in."""

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
        defer_build=True,  # the schema, which the first use of a model makes: importing is the cold start
    )
