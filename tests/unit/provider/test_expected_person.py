"""What a browser keeps of a person: short enough for a cookie, or nothing; the stories are told over HTTP."""

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.kernel.seals import Seal
from shared.provider.expected_person import REMEMBERED_FOR, ExpectedPeople
from shared.provider.sign_in import SignIn
from tests.unit.provider.world import ALICE, Provider, identity


@pytest.fixture
def people(provider: Provider) -> ExpectedPeople:
    sign_in: SignIn = provider.sign_in
    return sign_in.people


def test_a_note_says_who_it_was_for_thirty_days(provider: Provider, people: ExpectedPeople) -> None:
    note = people.note_of(identity(login_hint="O.alice"), ALICE)
    person = people.remembered(note)
    assert person is not None
    assert (person.email, person.entra_hint, person.expected.is_of(identity())) == (ALICE.address, "O.alice", True)
    provider.clock.advance(REMEMBERED_FOR - timedelta(seconds=1))
    assert people.remembered(note) == person
    provider.clock.advance(timedelta(seconds=1))
    assert people.remembered(note) is None
    assert people.asked(note) is None


@pytest.mark.parametrize("hint", ["x" * 3_000, "\u4e00" * 900])
def test_a_hint_that_fits_into_no_cookie_is_not_kept(people: ExpectedPeople, hint: str) -> None:
    assert people.note_of(identity(login_hint=hint), ALICE) is None


def test_a_deployment_without_a_key_remembers_nobody(people: ExpectedPeople) -> None:
    without = replace(people, seal=Seal(()))
    note = people.note_of(identity(), ALICE)
    assert without.note_of(identity(), ALICE) is None
    assert without.remembered(note) is None
