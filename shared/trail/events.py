"""Events: one frozen model for each kind of change, so that every record of a trail has a type."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Annotated, Any, ClassVar, Self

from pydantic import JsonValue
from pydantic.alias_generators import to_camel
from pydantic.fields import FieldInfo

from shared.kernel.encoding import base64url
from shared.ports.record import Record

_camel = cache(to_camel)
"""The name of a field as it is stored and shown, made once."""


class Person(Record):
    """One name of a person, and the facts that go with it. Exactly one of `user_key`, `oid` and `subject` is given.

    Args:
        user_key: of a user of the account (`UserKey`), with `email`.
        oid: of an Entra identity, with `tid`, and with `name` where it is known.
        subject: of a user of the control panel, with `name` where it is known.
    """

    user_key: str | None = None
    email: str | None = None
    tid: str | None = None
    oid: str | None = None
    subject: str | None = None
    name: str | None = None

    @property
    def known_as(self) -> str:
        """The name in row keys: equal for equal persons, and no address, object id or subject can be read from it."""
        if self.user_key is not None:
            return f"user-{self.user_key}"
        kind, parts = ("identity", (self.tid, self.oid)) if self.oid is not None else ("panel", (self.subject,))
        return f"{kind}-{base64url(hashlib.sha256('\0'.join(map(str, parts)).encode()).digest())}"


class Said(Record):
    """Text about a person that belongs to one event, by the name of the event's field."""

    texts: dict[str, JsonValue]


@dataclass(frozen=True, slots=True)
class Found:
    """A person who was not erased, and what events say about them, by the name of the event."""

    person: Person
    said: Mapping[str, Said]


@dataclass(frozen=True, slots=True)
class ShownAs:
    """How a trail shows a person of an event.

    Args:
        names: the fact of `Person` behind each name that readers of the trail see.
        inside: whether these stand in an object under the field's own name, and not beside the event's other fields.
    """

    names: Mapping[str, str]
    inside: bool = False

    def fill(self, field: str, reference: str, person: Person | None) -> dict[str, JsonValue]:
        """What readers see: null in place of each fact of a person who was erased."""
        facts: dict[str, JsonValue] = {name: getattr(person, fact, None) for name, fact in self.names.items()}
        return {field: {"reference": reference, **facts}} if self.inside else {field: reference, **facts}


class _AboutAPerson:
    """Marks a field of text about a person, which is stored with the person and not in the event."""


AboutAPerson = Annotated[str, _AboutAPerson()]
"""Free text about the first person of an event. It may say anything, an address included."""


class Event(Record):
    """One change. A subclass names its `action`, and its fields are the details that a reader of the trail needs.

    A person is a field of type `Person`, with `ShownAs`, and is stored as a reference (`shared.trail.persons`). No
    other field may hold an address, a name, an object id, or what is derived from them. The event is stored as `action`
    and `details` (camelCase JSON), and stays readable for as long as trails are kept: a field may be added with a
    default, and none is renamed.
    """

    action: ClassVar[str]
    """In the form `thing.verb`; unique."""

    @classmethod
    def shown_fields(cls) -> tuple[str, ...]:
        """The names that a reader of the trail sees, in their order."""
        return tuple(
            shown
            for name, info in cls.model_fields.items()
            for mark in [_mark(info)]
            for shown in (_camel(name), *(mark.names if mark and not mark.inside else ()))
        )

    @classmethod
    def references_in(cls, details: Mapping[str, JsonValue]) -> tuple[str, ...]:
        """The references that stored details hold."""
        return tuple(str(details[_camel(name)]) for name, info in cls.model_fields.items() if _mark(info))

    def persons(self) -> tuple[Person, ...]:
        """The persons whom it names."""
        return tuple(getattr(self, name) for name, info in type(self).model_fields.items() if _mark(info))

    def details(self, references: Mapping[str, str]) -> dict[str, JsonValue]:
        """The fields as the trail stores them: those that were given, so that an event of before gets no new ones.

        Args:
            references: by `Person.known_as`.
        """
        plain = self.model_dump(mode="json", by_alias=True)
        return {
            _camel(name): references[getattr(self, name).known_as] if _mark(info) else plain[_camel(name)]
            for name, info in type(self).model_fields.items()
            if name in self.model_fields_set and not _is_text(info)
        }

    def texts(self) -> dict[str, JsonValue]:
        """Its text about its first person."""
        texts = {name for name, info in type(self).model_fields.items() if _is_text(info)}
        return self.model_dump(mode="json", by_alias=True, include=texts)

    @classmethod
    def shown(cls, details: Mapping[str, JsonValue], found: Mapping[str, Found], event: str) -> dict[str, JsonValue]:
        """Stored details as a reader of the trail sees them.

        Args:
            details: as stored.
            found: the persons who were not erased, by reference.
            event: the event's own name, by which the persons have its text.
        """
        persons = [found.get(reference) for reference in cls.references_in(details)]
        said = persons[0].said.get(event) if persons and persons[0] else None
        shown: dict[str, JsonValue] = {}
        for name, info in cls.model_fields.items():
            field, mark = _camel(name), _mark(info)
            if mark is not None:
                reference = str(details[field])
                shown |= mark.fill(field, reference, found[reference].person if reference in found else None)
            elif _is_text(info):
                shown[field] = said.texts.get(field) if said else None
            elif field in details:
                shown[field] = details[field]
        return shown

    @classmethod
    def of_before(cls, details: Mapping[str, Any]) -> Self:
        """The event in details that were stored before events named persons by reference.

        Raises:
            ValueError: they are none of this event.
        """
        given = dict(details)
        for name, info in cls.model_fields.items():
            mark = _mark(info)
            if mark is not None:
                facts = given.get(_camel(name), {}) if mark.inside else given
                given[_camel(name)] = {fact: facts.get(shown) for shown, fact in mark.names.items()}
        return cls.model_validate(given)


def _mark(info: FieldInfo) -> ShownAs | None:
    """How the field is shown, if it is a person."""
    return next((mark for mark in info.metadata if isinstance(mark, ShownAs)), None)


def _is_text(info: FieldInfo) -> bool:
    return any(isinstance(mark, _AboutAPerson) for mark in info.metadata)


def catalogue() -> dict[str, type[Event]]:
    """Every event that the product can write, by action.

    A subclass without an action of its own is a common base of several events.
    """
    for module in _DEFINED_IN:
        import_module(module)
    kinds = [*Event.__subclasses__()]
    for kind in kinds:
        kinds += kind.__subclasses__()
    return {kind.action: kind for kind in kinds if "action" in vars(kind)}


_DEFINED_IN = (
    "shared.accounts.register",
    "shared.applications.application",
    "shared.connection.connection",
    "shared.connection.setup_links",
    "shared.domains.tenant_domains",
    "shared.policies.policy",
    "shared.portal.session",
    "shared.privacy.erasure",
    "shared.users.exemption",
    "shared.users.link",
)
"""The modules with events. A trail has events of all of them, so whoever reads one imports them first; by name, since
they stand on the trail. A test compares this with the code."""
