"""Signing out: the session ends once, and the other applications hear of it."""

import asyncio
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from shared.flows.flows import digest
from shared.kernel.names import ClientId
from shared.ports.table import Key, Put
from shared.provider.end_session import EndSession, Question, ToEntra
from shared.provider.issuer import LOGOUT_TOKEN, Code
from shared.provider.sessions import Session, Sessions
from tests.support.fakes import NEW_YEAR, Doorbells
from tests.unit.provider.world import ACME, OLGA, OTHER, UNITE, WHATEVER_STANDS, Provider, code, person, profile, sent

GOODBYE = "https://unite.example/goodbye"
ENTRA_SID = "sid-of-entra"
SID = Sessions.name_of(ENTRA_SID)
PERSON = person(sid=SID)


@pytest.fixture
def doorbells(provider: Provider) -> Doorbells:
    return provider.doorbells


@pytest.fixture
async def end_session(provider: Provider) -> EndSession:
    await provider.add(post_logout_redirect_uris=(GOODBYE,), backchannel_logout_uri="https://unite.example/bell")
    return provider.services.provider.end_session


async def id_token(provider: Provider, **changes: object) -> str:
    return await provider.issuer.id_token(code(provider.flows.expiry(Code), **{"person": PERSON} | changes), "access")


async def ended(provider: Provider) -> tuple[Session, ...]:
    """End the session, as signing out does it."""
    return await provider.sessions.end(await provider.sessions.find(SID))


def query_of(url: str) -> dict[str, str]:
    return {name: value for name, (value,) in parse_qs(urlsplit(url).query).items()}


# -- sessions ---------------------------------------------------------------------------------------------------------


async def test_a_session_holds_each_application_once(provider: Provider) -> None:
    for client_id, hint in ((UNITE, "old"), (OTHER, None), (UNITE, "new")):
        await provider.begin_session(PERSON, client_id, hint)
    assert sorted(await ended(provider), key=lambda session: session.client_id) == [
        Session(client_id=OTHER, sub="subject", logout_hint=None, began_at=NEW_YEAR, account_id=ACME),
        Session(client_id=UNITE, sub="subject", logout_hint="new", began_at=NEW_YEAR, account_id=ACME),
    ]
    assert await ended(provider) == ()


async def test_of_many_who_end_a_session_at_once_each_application_goes_to_one(provider: Provider) -> None:
    clients = [ClientId(f"app-{number}") for number in range(5)]
    for client_id in clients:
        await provider.begin_session(PERSON, client_id, None)
    parts = await asyncio.gather(*(ended(provider) for _ in range(4)))
    assert sorted(session.client_id for part in parts for session in part) == clients


async def test_a_session_that_nobody_can_name_is_not_kept(provider: Provider) -> None:
    await provider.begin_session(person(sid=None), UNITE, None)
    assert len(provider.flows_table) == 0


async def test_a_session_lives_for_a_day_and_is_purged_at_the_end_of_that_day(provider: Provider) -> None:
    """Whatever the time of the day at which it began. Repeated the next day, it has two rows, of which one counts."""
    for _ in range(4):
        provider.clock.advance(timedelta(hours=5, minutes=59))
        await provider.begin_session(PERSON, UNITE, None)
        provider.clock.advance(timedelta(hours=24))
        assert await provider.flows.purge() == 0
        assert len(await provider.sessions.find(SID)) == 1
        await provider.begin_session(PERSON, UNITE, "again")
        assert [row.document for row in await provider.sessions.find(SID)][-1].count("again") == 1
        current = await provider.sessions.current(SID, UNITE)
        assert current is not None
        assert current.logout_hint == "again"
        provider.clock.advance(timedelta(hours=48))
        assert await provider.flows.purge() == 4, "two rows, and two that name the session for the person"
        assert len(provider.flows_table) == 0


async def test_a_session_with_two_rows_is_ended_whole_and_its_application_hears_of_it_once(
    provider: Provider, end_session: EndSession, doorbells: Doorbells
) -> None:
    for hours in (1, 23):
        provider.clock.advance(timedelta(hours=hours))
        await provider.begin_session(PERSON, UNITE, None)
    assert len(await provider.sessions.find(SID)) == 2
    await end_session.front_channel(ENTRA_SID)
    assert len(await provider.sessions.find(SID)) == 0
    assert (len(doorbells.heard), len(provider.duties_table)) == (1, 0)


async def test_a_session_of_an_earlier_release_is_found_ended_and_purged(
    provider: Provider, end_session: EndSession, doorbells: Doorbells
) -> None:
    """Its partition is its name, and it says when it expires."""
    row = Session(client_id=UNITE, sub="subject", logout_hint=None, began_at=NEW_YEAR).document()
    for _ in range(2):
        await provider.flows_table.write(Put(Key(SID, "session:unite"), row, NEW_YEAR + timedelta(hours=24)))
        await end_session.front_channel(ENTRA_SID)
    assert len(doorbells.heard) == 2
    await provider.flows_table.write(Put(Key(SID, "session:unite"), row, NEW_YEAR + timedelta(hours=24)))
    provider.clock.advance(timedelta(hours=24, seconds=1))
    assert await provider.flows.purge() == 1


def test_the_name_of_a_session_tells_nothing_of_entras() -> None:
    assert ENTRA_SID not in SID
    assert Sessions.name_of("another") != SID


# -- leaving ----------------------------------------------------------------------------------------------------------


async def begun(end_session: EndSession, **parameters: str | tuple[str, ...] | None) -> ToEntra:
    """What follows for somebody who need not be asked, or has answered yes."""
    answer = await end_session.begin(sent(**parameters), confirmed=True)
    assert isinstance(answer, ToEntra)
    return answer


async def asked(end_session: EndSession, **parameters: str | tuple[str, ...] | None) -> Question:
    answer = await end_session.begin(sent(**parameters), confirmed=False)
    assert isinstance(answer, Question)
    return answer


async def test_who_leaves_goes_to_entra_and_then_where_the_application_said(
    provider: Provider, end_session: EndSession
) -> None:
    await provider.begin_session(PERSON, UNITE, "hint-of-alice")
    hint = await id_token(provider)
    answer = await end_session.begin(
        sent(id_token_hint=hint, post_logout_redirect_uri=GOODBYE, state="s&t u"), confirmed=False
    )
    assert isinstance(answer, ToEntra), "nobody is asked whose ID token is ours"
    query = query_of(answer.url)
    assert query["post_logout_redirect_uri"] == "https://sso.example/signed-out"
    assert query["logout_hint"] == "hint-of-alice"
    assert await end_session.complete(answer.way_back) == f"{GOODBYE}?state=s%26t+u"
    assert await ended(provider) == ()


async def test_without_a_token_of_ours_a_person_is_asked_and_nothing_is_stored(
    provider: Provider, end_session: EndSession
) -> None:
    parameters = {"client_id": "unite", "post_logout_redirect_uri": GOODBYE, "state": "s"}
    assert await asked(end_session, **parameters) == Question("Unite", parameters, None)
    assert await asked(end_session) == Question(None, {}, None)
    answer = await begun(end_session, **parameters)
    assert "logout_hint" not in query_of(answer.url)
    assert await end_session.complete(answer.way_back) == f"{GOODBYE}?state=s"
    assert len(provider.flows_table) == 0


async def test_who_asks_for_nothing_is_signed_out_at_entra_and_stays_there(end_session: EndSession) -> None:
    assert (await begun(end_session)).way_back is None


@pytest.mark.parametrize(
    "way_back",
    [
        None,
        "",
        "made-up",
        "un/ite x",
        f"unite {digest('https://attacker.example/')} s",
        f"unite {GOODBYE} s",
        f"nobody {digest(GOODBYE)} s",
        f"other {digest(GOODBYE)} s",
    ],
)
async def test_an_invented_way_back_leads_nowhere(
    provider: Provider, end_session: EndSession, way_back: str | None
) -> None:
    await provider.add(OTHER)
    assert await end_session.complete(way_back) is None


async def test_an_address_that_was_removed_meanwhile_is_returned_to_no_more(
    provider: Provider, end_session: EndSession
) -> None:
    way_back = (await begun(end_session, client_id="unite", post_logout_redirect_uri=GOODBYE)).way_back
    assert await end_session.complete(way_back) == GOODBYE
    await provider.register.put(OLGA, UNITE, profile(), WHATEVER_STANDS)
    assert await end_session.complete(way_back) is None
    await provider.register.remove(OLGA, UNITE, WHATEVER_STANDS)
    assert await end_session.complete(way_back) is None
    hint = await id_token(provider)
    assert (await asked(end_session, id_token_hint=hint, post_logout_redirect_uri=GOODBYE)).fault


async def test_a_token_that_has_expired_still_says_who_leaves(provider: Provider, end_session: EndSession) -> None:
    await provider.begin_session(PERSON, UNITE, None)
    hint = await id_token(provider)
    provider.clock.advance(timedelta(hours=8))
    await end_session.begin(sent(id_token_hint=hint, client_id="unite"), confirmed=False)
    assert await ended(provider) == ()


async def test_a_token_without_a_session_ends_none(provider: Provider, end_session: EndSession) -> None:
    await provider.begin_session(PERSON, UNITE, None)
    hint = await id_token(provider, person=person(sid=None))
    assert await begun(end_session, id_token_hint=hint, post_logout_redirect_uri=GOODBYE)
    assert len(await ended(provider)) == 1


@pytest.mark.parametrize(
    "parameters",
    [
        {"post_logout_redirect_uri": GOODBYE, "state": "s"},
        {"client_id": "nobody", "post_logout_redirect_uri": GOODBYE},
        {"client_id": "un ite"},
        {"client_id": "unite", "post_logout_redirect_uri": GOODBYE + "/"},
        {"client_id": "unite", "post_logout_redirect_uri": "https://unite.example/callback"},
        {"client_id": "unite", "post_logout_redirect_uri": (GOODBYE, GOODBYE)},
        {"client_id": "unite", "state": "s" * 4_097},
        {"client_id": "unite", "post_logout_redirect_uri": GOODBYE, "state": "é" * 2_049},
        {"id_token_hint": "made-up"},
        {"id_token_hint": "x" * 16_001},
    ],
)
async def test_who_comes_with_something_wrong_is_told_and_may_sign_out_and_stay(
    end_session: EndSession, parameters: dict[str, str | tuple[str, ...]]
) -> None:
    question = await asked(end_session, **parameters)
    assert question.fault
    assert question.kept == {}
    assert (await begun(end_session, **parameters)).way_back is None


async def test_a_token_of_one_client_does_not_serve_another(provider: Provider, end_session: EndSession) -> None:
    await provider.add(OTHER)
    await provider.begin_session(PERSON, UNITE, None)
    for parameters in (
        {"client_id": "other", "id_token_hint": await id_token(provider)},
        {"id_token_hint": await id_token(provider, client_id=OTHER), "post_logout_redirect_uri": GOODBYE},
        {"id_token_hint": await provider.issuer.access_token(code(provider.flows.expiry(Code), person=PERSON))},
        {"id_token_hint": await provider.issuer.logout_token(UNITE, "subject", SID)},
    ):
        assert (await asked(end_session, **parameters)).fault
        await begun(end_session, **parameters)
    assert len(await ended(provider)) == 1


async def test_the_session_of_a_deleted_account_can_still_be_ended_and_does_nothing_else(
    provider: Provider, end_session: EndSession, doorbells: Doorbells
) -> None:
    await provider.issue()
    await provider.begin_session(PERSON, UNITE, None)
    hint = await id_token(provider)
    await provider.services.connection.disconnection.close(OLGA, ACME, WHATEVER_STANDS)
    before = len(provider.accounts_table)
    await begun(end_session, id_token_hint=hint)
    assert (len(doorbells.heard), await provider.sessions.find(SID)) == (1, ())
    assert len(provider.accounts_table) == before


# -- the others hear of it --------------------------------------------------------------------------------------------


async def test_every_application_that_wants_to_hear_is_told_by_a_token_of_its_own(
    provider: Provider, end_session: EndSession, doorbells: Doorbells
) -> None:
    await provider.add(OTHER, backchannel_logout_uri="https://other.example/bell")
    await provider.add(ClientId("quiet"))
    for client_id in (UNITE, OTHER, ClientId("quiet"), ClientId("removed")):
        await provider.begin_session(PERSON, client_id, None)
    await end_session.front_channel(ENTRA_SID)
    heard = dict(doorbells.heard)
    assert set(heard) == {"https://unite.example/bell", "https://other.example/bell"}
    for url, client_id in (("https://unite.example/bell", UNITE), ("https://other.example/bell", OTHER)):
        told = await provider.tokens.verify(heard[url]["logout_token"], LOGOUT_TOKEN, client_id)
        assert (told.sub, told.claims["sid"]) == ("subject", SID)


async def test_an_application_that_does_not_answer_holds_up_nobody(
    provider: Provider, end_session: EndSession, doorbells: Doorbells, caplog: pytest.LogCaptureFixture
) -> None:
    await provider.add(OTHER, backchannel_logout_uri="https://other.example/bell")
    doorbells.deaf = {"https://unite.example/bell"}
    for client_id in (UNITE, OTHER):
        await provider.begin_session(PERSON, client_id, None)
    await end_session.front_channel(ENTRA_SID)
    assert [url for url, _ in doorbells.heard] == ["https://other.example/bell"]
    assert "back-channel logout not heard application=unite" in caplog.text


async def test_what_was_not_heard_is_sent_again_until_it_is(
    provider: Provider, end_session: EndSession, doorbells: Doorbells
) -> None:
    bell = "https://unite.example/bell"
    doorbells.deaf = {bell}
    await provider.begin_session(PERSON, UNITE, None)
    await end_session.front_channel(ENTRA_SID)
    for minutes in (2, 3, 5):
        provider.clock.advance(timedelta(minutes=minutes))
        assert await provider.services.upkeep.duties.run() == 1
    assert doorbells.heard == []
    doorbells.deaf = set()
    provider.clock.advance(timedelta(minutes=9))
    assert await provider.services.upkeep.duties.run() == 1
    ((url, form),) = doorbells.heard
    told = await provider.tokens.verify(form["logout_token"], LOGOUT_TOKEN, UNITE)
    assert (url, told.sub, told.claims["sid"]) == (bell, "subject", SID), "by a token that has not expired meanwhile"
    assert len(provider.duties_table) == 0


async def test_what_nobody_ever_hears_is_given_up_after_a_day(
    provider: Provider, end_session: EndSession, doorbells: Doorbells
) -> None:
    doorbells.deaf = {"https://unite.example/bell"}
    await provider.begin_session(PERSON, UNITE, None)
    await end_session.front_channel(ENTRA_SID)
    for _ in range(20 * 2):
        provider.clock.advance(timedelta(minutes=30))
        await provider.services.upkeep.duties.run()
    assert len(provider.duties_table) == 1
    for _ in range(4 * 2):
        provider.clock.advance(timedelta(minutes=30))
        await provider.services.upkeep.duties.run()
    assert len(provider.duties_table) == 0


async def test_a_crash_between_removing_the_session_and_sending_loses_no_notice(
    provider: Provider, end_session: EndSession, doorbells: Doorbells
) -> None:
    # By hand: the disturbances run no duties.
    await provider.begin_session(PERSON, UNITE, None)

    async def crash() -> None:
        raise asyncio.CancelledError

    rows = await provider.sessions.find(SID)
    provider.flows_raced.before_writing(crash)
    with pytest.raises(asyncio.CancelledError):
        await end_session.front_channel(ENTRA_SID)
    await provider.sessions.end(rows)
    assert doorbells.heard == []
    provider.clock.advance(timedelta(minutes=2))
    await provider.services.upkeep.duties.run()
    assert [url for url, _ in doorbells.heard] == ["https://unite.example/bell"]


async def test_what_was_heard_is_not_sent_again(
    provider: Provider, end_session: EndSession, doorbells: Doorbells
) -> None:
    await provider.begin_session(PERSON, UNITE, None)
    await end_session.front_channel(ENTRA_SID)
    assert len(provider.duties_table) == 0
    provider.clock.advance(timedelta(minutes=5))
    await provider.services.upkeep.duties.run()
    assert len(doorbells.heard) == 1


@pytest.mark.parametrize("changes", [{"backchannel_logout_uri": None}, None], ids=["no longer wanted", "removed"])
async def test_a_notice_that_nobody_wants_any_more_is_done(
    provider: Provider, end_session: EndSession, doorbells: Doorbells, changes: dict | None
) -> None:
    doorbells.deaf = {"https://unite.example/bell"}
    await provider.begin_session(PERSON, UNITE, None)
    await end_session.front_channel(ENTRA_SID)
    if changes is None:
        await provider.register.remove(OLGA, UNITE, WHATEVER_STANDS)
    else:
        await provider.register.put(OLGA, UNITE, profile(**changes), WHATEVER_STANDS)
    provider.clock.advance(timedelta(minutes=2))
    await provider.services.upkeep.duties.run()
    assert doorbells.heard == []
    assert len(provider.duties_table) == 0


@pytest.mark.parametrize("sid", ["", "made-up", SID])
async def test_who_does_not_know_entras_session_ends_nothing(
    provider: Provider, end_session: EndSession, sid: str
) -> None:
    await provider.begin_session(PERSON, UNITE, None)
    await end_session.front_channel(sid)
    assert len(await ended(provider)) == 1
