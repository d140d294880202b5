"""Every event is described in docs/events.md, names persons by reference only, and rows of before become like it."""

import json
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages

import pytest
from pydantic import BaseModel

import shared
from functions.audit import AuditEntry, AuditKind
from shared.access.roles import AccountAdministrator, Actor
from shared.accounts.head import Account
from shared.accounts.journal import Journal
from shared.kernel.names import AccountId
from shared.ports.table import Insert, Key, Remove
from shared.trail.events import Event, catalogue
from shared.trail.trail import kind_of
from tests.architecture.test_deployment import run
from tests.support.fakes import FixedClock, InMemoryTable

PAGE = Path(__file__).parents[3] / "docs" / "events.md"
ACME = AccountId("acme")
SAM = AccountAdministrator(ACME, Actor("sam", "Sam Security", "SecurityManager"))
ROWS = json.loads((Path(__file__).parent / "rows_of_november_2026.json").read_text(encoding="utf-8"))
"""A row of each action as it was written before there were events."""


def described(event: type[Event]) -> str:
    """What docs/events.md says of an event: its row of the table."""
    fields = ", ".join(f"`{field}`" for field in event.shown_fields())
    return f"| `{event.action}` | {' '.join((event.__doc__ or '').split())} | {fields or 'none'} |"


def test_the_page_lists_every_event_with_its_fields_and_no_other() -> None:
    rows = re.findall(r"^\| `.*$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(rows) == sorted(map(described, catalogue().values()))


def test_an_action_is_a_thing_and_a_verb_and_names_one_event() -> None:
    events = [each for each in subclasses(Event) if "action" in vars(each)]
    assert len(events) == len(catalogue()) > 0
    assert all(re.fullmatch(r"[a-z]+\.[a-z_]+", action) for action in catalogue())


def test_the_catalogue_is_complete_before_anything_else_is_imported() -> None:
    """A part of the product is imported when it is first asked for, and an event unknown would hide whom it names."""
    known = run("from shared.trail.events import catalogue\nprint(*catalogue())", {}).split()
    for module in walk_packages(shared.__path__, "shared."):
        import_module(module.name)
    events = [each for each in subclasses(Event) if "action" in vars(each) and each.__module__.startswith("shared.")]
    assert sorted(known) == sorted(each.action for each in events)


def subclasses(kind: type[Event]) -> list[type[Event]]:
    return [each for child in kind.__subclasses__() for each in (child, *subclasses(child))]


def test_there_is_a_row_of_before_for_each_event_of_an_account() -> None:
    events = {each for each in catalogue() if not each.startswith("application.")}
    assert {row["action"] for row in ROWS} == events - ADDED_SINCE


ADDED_SINCE = {
    "connection.changed",
    "connection.link_revoked",
    "domains.lost",
    "link.expired",
    "link.replaced",
    "links.released",
    "person.erased",
    "portal.linked",
    "portal.opened",
    "portal.revoked",
    "portal.signed_out",
}
"""Events of which no row was ever written with the persons themselves."""


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["action"])
async def test_a_row_of_before_is_shown_as_it_was_and_rewritten_by_reference(row: dict) -> None:
    """It keeps its key, so that the order stays. What was said and who said it looks as before."""
    table = await table_with(row)
    trail = Journal(table=table, clock=FixedClock()).trail(ACME)
    assert await shown(table) == row | {"actor": row["actor"] | {"reference": None}}
    (before,) = await table.under(ACME, "audit:")
    assert await trail.rewrite(before)
    assert not await trail.rewrite((await table.under(ACME, "audit:"))[0]), "safe to repeat"
    (after,) = await table.under(ACME, "audit:")
    assert after.key == before.key
    assert [fact for fact in PERSONAL if fact in after.document] == []
    again = await shown(table)
    references = {again["actor"].pop("reference"), *references_of(again["details"])} - {None}
    assert len(references) == len(
        {row.key.row for row in await table.under(ACME, "known:") if row.key.row.count(":") == 1}
    )
    imported = {"exceptionIds"} if row["action"] == "exceptions.imported" else set()
    assert _as_before(again) == {**row, "details": {n: fact for n, fact in row["details"].items() if n not in imported}}


FIELDS_SINCE = {"sessionHours"}
"""Fields that events have now, and rows of before had not: they are null."""


def _as_before(shown: object) -> object:
    """What is shown, without the fields that are new."""
    if not isinstance(shown, dict):
        return shown
    return {name: _as_before(each) for name, each in shown.items() if name not in FIELDS_SINCE or each is not None}


PERSONAL = ("panel-user", "Olga", "Sam", "Ada", "@", "a11c", "ada0", "exceptionId", "linkId")
"""What the rows of before say of people."""


def references_of(details: dict) -> list[str]:
    """The references in details, which are taken out."""
    inside = [each.pop("reference") for each in details.values() if isinstance(each, dict) and "reference" in each]
    return [*inside, *(details.pop(name) for name in ("person", "identity") if name in details)]


async def table_with(row: dict) -> InMemoryTable:
    table, now = InMemoryTable(), FixedClock().now()
    await table.write(
        Insert(
            Account.key(ACME),
            Account(account_id=ACME, name="Acme", created_at=now, updated_at=now).document(),
        ),
        Insert(Key(ACME, "audit:08619870263847301-8d2f3c1a9b7e6f50"), json.dumps(row)),
    )
    return table


async def shown(table: InMemoryTable) -> dict:
    """The one record, as the API has it."""
    ((record,), _) = await Journal(table=table, clock=FixedClock()).page(SAM, 10, None)
    return json.loads(AuditEntry.model_validate(record).model_dump_json(by_alias=True))


async def test_a_row_of_an_action_that_nobody_knows_is_shown_and_left_as_it_is() -> None:
    table = await table_with(ROWS[0] | {"action": "account.forgotten"})
    (row,) = await table.under(ACME, "audit:")
    assert not await Journal(table=table, clock=FixedClock()).trail(ACME).rewrite(row)
    assert (await shown(table))["action"] == "account.forgotten"


def test_no_event_can_hold_what_says_who_a_person_is() -> None:
    """Whoever an event names is a `Person`, which is stored as a reference; text about them is stored with them."""
    told = {
        f"{event.action} {path}"
        for event in catalogue().values()
        for path in plain_fields(event)
        if re.search(r"(?i)mail|address|oid|subject|sub$|upn|user|login|(link|exception)_?ids?$|reason|name", path)
    }
    assert told <= NO_PERSONS, "a field that may hold a person: declare it as `Person` or `AboutAPerson`"


NO_PERSONS = {
    *(f"account.{verb} name" for verb in ("registered", "changed")),
    "connection.connected tenant_name",
    "connection.refused reason",
    *(f"application.{verb}.name" for verb in ("registered profile", "changed before", "changed after")),
    *(f"application.{verb}.initiate_login_uri" for verb in ("registered profile", "changed before", "changed after")),
}
"""Names and addresses of organisations and applications, and the type of a refusal."""


def plain_fields(kind: type[BaseModel]) -> Iterator[str]:
    """The fields that a trail stores as they are, those of documents inside included."""
    for name, info in kind.model_fields.items():
        if any(type(mark).__name__ in {"ShownAs", "_AboutAPerson"} for mark in info.metadata):
            continue
        yield name
        if isinstance(info.annotation, type) and issubclass(info.annotation, BaseModel):
            yield from (f"{name}.{inside}" for inside in plain_fields(info.annotation))


async def test_an_event_of_before_that_goes_meanwhile_is_left_alone() -> None:
    table = await table_with(ROWS[0])
    (row,) = await table.under(ACME, "audit:")
    await table.write(Remove(row))
    assert not await Journal(table=table, clock=FixedClock()).trail(ACME).rewrite(row)
    assert await table.under(ACME, "audit:") == ()


async def test_who_acts_for_the_first_time_takes_no_room_from_the_changes_of_a_transaction() -> None:
    table = InMemoryTable()
    journal = Journal(table=table, clock=FixedClock())
    changes = [Insert(Key(ACME, f"later:{number}"), "{}") for number in range(99)]
    await journal.commit(ACME, SAM.actor, catalogue()["connection.started"](), *changes)
    assert len(table) == 99 + len(["the event", "Sam", "by what he is known"])
    await journal.trail(ACME).introduce(SAM.actor)
    assert len(table) == 99 + 3


def test_the_kinds_to_look_for_are_those_that_an_account_has() -> None:
    of_accounts = {action for action in catalogue() if not action.startswith("application.")}
    assert {*AuditKind} == {kind_of(action) for action in of_accounts}
