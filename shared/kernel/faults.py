"""Pydantic's findings as field faults that are safe to show: they name the field and the rule, never the value."""

from pydantic import ValidationError

from shared.kernel.refusals import FieldFault

MOST_FAULTS = 100
"""How many an answer names: nobody reads more, and a body can have as many as it has bytes."""


def faults_of(error: ValidationError) -> tuple[FieldFault, ...]:
    """One fault for each of the first findings; a field is named by its path, as in `redirectUris.0`."""
    return tuple(
        FieldFault(
            field=".".join(map(str, found["loc"])) or "(the whole)",
            detail=found["msg"].removeprefix("Value error, ").rstrip(".") + ".",
        )
        for found in error.errors(include_url=False, include_context=False, include_input=False)[:MOST_FAULTS]
    )
