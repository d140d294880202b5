"""A notice of sign-out that is late ends no session that was begun since."""

import asyncio
import json
from datetime import datetime, timedelta

import pytest

from shared.ports.table import Put
from shared.provider.end_session import EndSession
from shared.provider.sessions import Sessions
from tests.support.fakes import NEW_YEAR
from tests.unit.provider.world import UNITE, Provider, person

BELL = "https://unite.example/bell"
ENTRA_SID = "sid-of-entra"
SID = Sessions.name_of(ENTRA_SID)
PERSON = person(sid=SID)


@pytest.fixture
async def end_session(provider: Provider) -> EndSession:
    """The application does not respond at first."""
    await provider.add(backchannel_logout_uri=BELL)
    provider.doorbells.deaf = {BELL}
    return provider.services.provider.end_session


async def two_minutes_later(provider: Provider) -> list[str]:
    """The application responds again, and the duty runs; the addresses that were notified."""
    provider.doorbells.deaf = set()
    provider.clock.advance(timedelta(minutes=2))
    assert await provider.services.upkeep.duties.run() == 1
    assert len(provider.duties_table) == 0
    return [url for url, _ in provider.doorbells.heard]


async def test_a_late_notice_is_dropped_if_the_person_has_signed_in_again(
    provider: Provider, end_session: EndSession
) -> None:
    await provider.begin_session(PERSON, UNITE, None)
    await end_session.front_channel(ENTRA_SID)
    provider.clock.advance(timedelta(seconds=10))
    await provider.begin_session(PERSON, UNITE, None)
    assert await two_minutes_later(provider) == []


async def test_a_late_notice_is_sent_if_the_person_has_signed_in_elsewhere_only(
    provider: Provider, end_session: EndSession
) -> None:
    await provider.begin_session(PERSON, UNITE, None)
    await end_session.front_channel(ENTRA_SID)
    provider.clock.advance(timedelta(seconds=10))
    await provider.begin_session(person(sid=Sessions.name_of("another")), UNITE, None)
    assert await two_minutes_later(provider) == [BELL]


async def crash() -> None:
    raise asyncio.CancelledError


async def test_a_crash_before_the_session_is_removed_loses_no_notice(
    provider: Provider, end_session: EndSession
) -> None:
    await provider.begin_session(PERSON, UNITE, None)
    provider.flows_raced.before_writing(crash)
    with pytest.raises(asyncio.CancelledError):
        await end_session.front_channel(ENTRA_SID)
    assert len(await provider.sessions.find(SID)) == 1
    assert await two_minutes_later(provider) == [BELL]


@pytest.mark.parametrize(("began_again", "notified"), [(None, [BELL]), (NEW_YEAR, [])])
async def test_a_session_of_an_earlier_release_is_ended_and_begun_anew(
    provider: Provider, end_session: EndSession, began_again: datetime | None, notified: list[str]
) -> None:
    """Its row does not say when it began."""
    await provider.begin_session(PERSON, UNITE, None)
    (row,) = await provider.sessions.find(SID)
    document = {name: value for name, value in json.loads(row.document).items() if name != "beganAt"}
    await provider.flows_table.write(Put(row.key, json.dumps(document)))
    provider.flows_raced.before_writing(crash)
    with pytest.raises(asyncio.CancelledError):
        await end_session.front_channel(ENTRA_SID)
    if began_again is not None:
        await provider.begin_session(PERSON, UNITE, None)
    assert await two_minutes_later(provider) == notified


async def test_an_error_while_sending_is_logged_without_its_message_and_tried_again(
    provider: Provider, end_session: EndSession, caplog: pytest.LogCaptureFixture
) -> None:
    provider.doorbells.deaf, provider.doorbells.broken = set(), ValueError("alice@contoso.example")
    await provider.begin_session(PERSON, UNITE, None)
    await end_session.front_channel(ENTRA_SID)
    assert "back-channel logout application=unite failed: ValueError" in caplog.text
    assert "in post" in caplog.text
    assert "alice" not in caplog.text
    provider.doorbells.broken = None
    assert await two_minutes_later(provider) == [BELL]
