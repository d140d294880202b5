"""Every event is described in docs/events.md, and the rows that were written before events had types stay readable."""

import json
import re
from pathlib import Path

import pytest

from functions.audit import AuditEntry
from shared import assembly  # noqa: F401 - with it every event of the product is there
from shared.access.roles import AccountAdministrator, Actor
from shared.accounts.head import Account
from shared.accounts.journal import Journal
from shared.kernel.names import AccountId
from shared.ports.table import Insert, Key
from shared.trail.events import Event, catalogue
from tests.support.fakes import FixedClock, InMemoryTable

PAGE = Path(__file__).parents[3] / "docs" / "events.md"
ACME = AccountId("acme")
SAM = AccountAdministrator(ACME, Actor("sam", "Sam Security", "SecurityManager"))
ROWS = json.loads((Path(__file__).parent / "rows_of_november_2026.json").read_text(encoding="utf-8"))
"""A row of each action as it was written before there were events."""


def described(event: type[Event]) -> str:
    """What docs/events.md says of an event: its row of the table."""
    fields = ", ".join(f"`{field.alias}`" for field in event.model_fields.values())
    return f"| `{event.action}` | {' '.join((event.__doc__ or '').split())} | {fields or 'none'} |"


def test_the_page_lists_every_event_with_its_fields_and_no_other() -> None:
    rows = re.findall(r"^\| `.*$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(rows) == sorted(map(described, catalogue().values()))


def test_an_action_is_a_thing_and_a_verb_and_names_one_event() -> None:
    events = [each for each in subclasses(Event) if "action" in vars(each)]
    assert len(events) == len(catalogue()) > 0
    assert all(re.fullmatch(r"[a-z]+\.[a-z_]+", action) for action in catalogue())


def subclasses(kind: type[Event]) -> list[type[Event]]:
    return [each for child in kind.__subclasses__() for each in (child, *subclasses(child))]


def test_there_is_a_row_of_before_for_each_event_of_an_account() -> None:
    assert {row["action"] for row in ROWS} == {each for each in catalogue() if not each.startswith("application.")}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["action"])
async def test_a_row_of_before_is_shown_as_it_was_and_is_what_its_event_would_write(row: dict) -> None:
    table, now = InMemoryTable(), FixedClock().now()
    await table.write(
        Insert(
            Account.key(ACME),
            Account(account_id=ACME, name="Acme", created_at=now, updated_at=now).document(),
        ),
        Insert(Key(ACME, "audit:08619870263847301-8d2f3c1a9b7e6f50"), json.dumps(row)),
    )
    ((record,), _) = await Journal(table=table, clock=FixedClock()).page(SAM, 10, None)
    assert json.loads(AuditEntry.model_validate(record).model_dump_json(by_alias=True)) == row
    event = catalogue()[row["action"]].model_validate(row["details"])
    assert json.dumps(event.details()) == json.dumps(row["details"]), "in the same order, too"
