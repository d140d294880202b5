"""Records: what a row says, and the change that starts from it."""

import pytest

from shared.ports.record import Record, Stored
from shared.ports.table import Insert, Key, Remove, Replace, Row, RowChanged

KEY = Key("acme", "greeting")


class Greeting(Record):
    said_by: str = "nobody"


def test_a_document_has_camel_case_names() -> None:
    assert Greeting(said_by="Sam").document() == '{"saidBy":"Sam"}'


def test_a_record_is_read_back() -> None:
    assert Greeting.read(Row(KEY, '{"saidBy":"Sam"}', "1")) == Greeting(said_by="Sam")


def test_a_row_is_parsed_once_for_each_kind_of_record() -> None:
    class Farewell(Record):
        said_by: str

    row = Row(KEY, '{"saidBy":"Sam"}', "1")
    assert Greeting.read(row) is Greeting.read(row)
    assert Farewell.read(row) == Farewell(said_by="Sam")
    assert row == Row(KEY, '{"saidBy":"Sam"}', "1")


def test_what_a_newer_version_added_is_ignored_and_what_an_older_one_lacked_has_a_default() -> None:
    assert Greeting.read(Row(KEY, '{"loudness":11}', "1")) == Greeting(said_by="nobody")


def test_what_stands_is_replaced_and_removed_in_its_version() -> None:
    row = Row(KEY, '{"saidBy":"Sam"}', "1")
    stored = Stored(Greeting.read(row), KEY, row)
    assert stored.rewrite(Greeting(said_by="Olga")) == Replace(row, '{"saidBy":"Olga"}')
    assert stored.removal() == Remove(row)


def test_a_default_is_inserted_and_cannot_be_removed() -> None:
    stored = Stored(Greeting(), KEY, None)
    assert stored.rewrite(Greeting(said_by="Olga")) == Insert(KEY, '{"saidBy":"Olga"}')
    with pytest.raises(RowChanged):
        stored.removal()


def test_the_version_follows_the_document_and_nothing_else() -> None:
    row = Row(KEY, '{"saidBy":"Olga"}', "1")
    default = Stored(Greeting(), KEY, None)
    changed = default.then(Greeting(said_by="Olga"))
    assert changed.record == Greeting(said_by="Olga")
    assert changed.version == Stored(Greeting.read(row), KEY, row).version
    assert changed.version != default.version
