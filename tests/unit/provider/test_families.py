"""Families of refresh tokens, where others act between two of their steps, or where no session names them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shared.flows.expiry import month_of, months_of_four_weeks
from shared.ports.table import Row
from shared.provider.client_authentication import AuthenticatedClient
from shared.provider.end_session import ToEntra
from shared.provider.errors import OAuthError
from shared.provider.issuer import Person
from shared.provider.refresh_token import FAMILY_LIFETIME, RefreshToken
from tests.unit.provider.walk import rows
from tests.unit.provider.world import ACME, CALLBACK, OTHER, UNITE, VERIFIER, Provider, application, code, person, sent

SCOPE = ("openid", "offline_access")
WITHOUT_SID = person(sid=None)


async def signed_in(provider: Provider, who: Person = WITHOUT_SID) -> str:
    """A refresh token of Alice's."""
    await provider.add(refresh_tokens=True)
    await provider.begin_session(who, UNITE, None)
    handle = await provider.issue(scope=SCOPE, person=who)
    form = {"client_id": UNITE, "grant_type": "authorization_code", "redirect_uri": CALLBACK, "code": handle}
    token = (await provider.redeem(sent(**form, code_verifier=VERIFIER))).refresh_token
    assert token is not None
    return token


async def renew(provider: Provider, token: str) -> str:
    form = {"client_id": UNITE, "grant_type": "refresh_token", "refresh_token": token}
    following = (await provider.redeem(sent(**form))).refresh_token
    assert following is not None
    return following


async def refused(provider: Provider, token: str) -> bool:
    try:
        await renew(provider, token)
    except OAuthError as error:
        return error.error == "invalid_grant"
    return False


async def families(provider: Provider) -> list[Row]:
    return await rows(provider, "family")


async def test_a_sign_out_while_tokens_are_renewed_wins(provider: Provider) -> None:
    token = await signed_in(provider)
    parts = provider.services.provider

    async def revoke() -> None:
        await parts.revocation.revoke(AuthenticatedClient(application()), sent(token=token))

    provider.flows_raced.before_writing(revoke)
    assert await refused(provider, token)
    assert await families(provider) == []


async def test_a_renewal_while_the_family_ends_gives_nothing_that_lasts(provider: Provider) -> None:
    token = await signed_in(provider)
    revocation, following = provider.services.provider.revocation, list[str]()

    async def renew_first() -> None:
        following.append(await renew(provider, token))

    provider.flows_raced.before_writing(renew_first)
    await revocation.revoke(AuthenticatedClient(application()), sent(token=token))
    assert await refused(provider, following[0])
    assert await families(provider) == []


async def test_a_family_that_two_end_at_once_has_ended(provider: Provider) -> None:
    token = await signed_in(provider, person())
    revocation, client = provider.services.provider.revocation, AuthenticatedClient(application())

    async def revoke_first() -> None:
        await revocation.revoke(client, sent(token=token))

    provider.flows_raced.before_writing(revoke_first)
    await revocation.revoke(client, sent(token=token))
    assert await families(provider) == []


async def test_two_calls_for_one_code_leave_no_tokens(provider: Provider) -> None:
    """Two instances have found the code; the slower one shows it a second time (RFC 6749, section 4.1.2)."""
    await provider.add(refresh_tokens=True)
    handle = await provider.issue(scope=SCOPE, person=WITHOUT_SID)
    form = {"grant_type": "authorization_code", "redirect_uri": CALLBACK, "code": handle, "code_verifier": VERIFIER}
    client = AuthenticatedClient(application(refresh_tokens=True))
    first, second = (replace(provider.services.provider.token) for _ in range(2))
    given = list[str | None]()

    async def overtake() -> None:
        given.append((await first.redeem(client, sent(**form))).refresh_token)

    provider.flows_raced.before_writing(overtake)
    with pytest.raises(OAuthError, match="already used"):
        await second.redeem(client, sent(**form))
    assert given[0] is not None
    assert await refused(provider, given[0])
    assert await families(provider) == []


async def test_a_sign_out_without_a_session_ends_what_has_none(provider: Provider) -> None:
    """Where Microsoft sends no `sid`, the ID token says whose, and at which application."""
    token, of_a_session = await signed_in(provider), await signed_in(provider, person(sid="0" * 64))
    issued = code(provider.clock.now(), person=WITHOUT_SID)
    elsewhere = await provider.issuer.id_token(code(provider.clock.now(), client_id=OTHER, person=WITHOUT_SID), "a")
    for id_token, ended in ((elsewhere, False), (await provider.issuer.id_token(issued, "a"), True)):
        assert isinstance(await provider.end_session.begin(sent(id_token_hint=id_token), confirmed=False), ToEntra)
        found = [row for row in await families(provider) if '"sid":null' in row.document]
        assert (found == []) is ended
    assert await refused(provider, token)
    assert len(await families(provider)) == 2, of_a_session


async def test_a_person_is_erased_with_what_they_had_until_then(provider: Provider) -> None:
    token = await signed_in(provider)
    end_all_of, begun = provider.end_session.end_all_of, provider.clock.now()
    await end_all_of(ACME, "subject", begun_before=begun)
    await end_all_of(ACME, "another")
    assert len(await families(provider)) == 1
    await end_all_of(ACME, "subject", begun_before=begun + timedelta(seconds=1))
    assert await refused(provider, token)


async def test_an_application_is_notified_of_the_end_of_a_session_that_only_its_tokens_remember(
    provider: Provider,
) -> None:
    sid = "5" * 64
    bell = "https://unite.example/bell"
    await provider.add(refresh_tokens=True, backchannel_logout_uri=bell)
    who = person(sid=sid)
    await provider.begin_session(who, UNITE, None)
    handle = await provider.issue(scope=SCOPE, person=who)
    form = {"client_id": UNITE, "grant_type": "authorization_code", "redirect_uri": CALLBACK, "code": handle}
    tokens = await provider.redeem(sent(**form, code_verifier=VERIFIER))
    provider.clock.advance(timedelta(days=3))
    assert await provider.sessions.find(sid) == ()
    await provider.end_session.begin(sent(id_token_hint=tokens.id_token), confirmed=False)
    assert [url for url, _ in provider.doorbells.heard] == [bell]
    assert await families(provider) == []


# -- the text, and the month -------------------------------------------------------------------------------------------


@given(st.text())
def test_no_text_but_a_tokens_is_one(text: str) -> None:
    with pytest.raises(ValueError, match="no refresh token"):
        RefreshToken.parse(text)


@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2400, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - bounds are naive
    st.timedeltas(timedelta(0), FAMILY_LIFETIME),
)
@example(datetime(2026, 1, 31, 23, 59, 30, tzinfo=UTC), FAMILY_LIFETIME)
@example(datetime(2026, 12, 31, tzinfo=UTC), timedelta(0))
def test_what_lives_four_weeks_is_found_in_this_month_or_the_next(now: datetime, left: timedelta) -> None:
    months = months_of_four_weeks(now)
    assert month_of(now + left) in months
    assert months[0] < months[1]


def test_a_token_has_a_text_that_reads_back_and_tells_nothing_to_a_log() -> None:
    token = RefreshToken.first(code(datetime(2026, 12, 3, tzinfo=UTC)), "handle")
    assert RefreshToken.parse(token.text) == token
    assert token.month == "20261231T2400"
    assert token.handle not in repr(token)
    assert token.secret not in repr(token)
    following = token.successor("salt")
    assert following.key == token.key
    assert following == token.successor("salt") != token.successor("another")
