"""Events: one frozen model for each kind of change, so that every record of a trail has a type."""

from typing import ClassVar

from pydantic import JsonValue

from shared.ports.record import Record


class Event(Record):
    """One change. A subclass names its `action`, and its fields are the details that a reader of the trail needs.

    It is stored as `action` and `details` (camelCase JSON), and stays readable for as long as trails are kept: a field
    may be added with a default, and none is renamed or removed.
    """

    action: ClassVar[str]
    """In the form `thing.verb`; unique."""

    def details(self) -> dict[str, JsonValue]:
        """The fields as the trail stores and shows them."""
        return self.model_dump(mode="json", by_alias=True)


def catalogue() -> dict[str, type[Event]]:
    """Every event that the product can write, by action. Complete once the product has been imported.

    A subclass without an action of its own is a common base of several events.
    """
    kinds = [*Event.__subclasses__()]
    for kind in kinds:
        kinds += kind.__subclasses__()
    return {kind.action: kind for kind in kinds if "action" in vars(kind)}
