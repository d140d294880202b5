"""Families of refresh tokens, where others act between two of their steps, or where no session names them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shared.flows.expiry import month_of, months_of_four_weeks
from shared.ports.table import Put, Remove, Row
from shared.provider.client_authentication import AuthenticatedClient
from shared.provider.end_session import ToEntra
from shared.provider.errors import OAuthError
from shared.provider.family import Family
from shared.provider.issuer import Code, Person
from shared.provider.refresh_token import FAMILY_LIFETIME, RefreshToken
from tests.unit.provider.walk import every_row, redeemed, rows
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


async def test_a_code_whose_family_has_ended_before_it_was_taken_begins_no_other(provider: Provider) -> None:
    """Its client has not heard of the tokens, and the person has signed out; there is no session to tell."""
    await provider.add(refresh_tokens=True)
    handle = await provider.issue(scope=SCOPE, person=WITHOUT_SID)
    begun = code(provider.clock.now() + Code.lifetime, scope=SCOPE, person=WITHOUT_SID)
    await provider.codes.families.begin(begun, handle)
    hint = await provider.issuer.id_token(begun, "access")
    await provider.end_session.begin(sent(id_token_hint=hint), confirmed=False)
    with pytest.raises(OAuthError, match="ended"):
        await redeemed(provider, handle)
    assert await families(provider) == []


async def test_a_code_that_is_shown_again_and_again_is_one_alarm(
    provider: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    await provider.add(refresh_tokens=True)
    handle = await provider.issue(scope=SCOPE, person=WITHOUT_SID)
    await redeemed(provider, handle)
    for _ in range(3):
        with pytest.raises(OAuthError):
            await redeemed(provider, handle)
    assert caplog.text.count("code.reused") == 1


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


async def test_what_is_left_of_a_family_does_not_say_whose_it_was_and_goes_with_its_month(provider: Provider) -> None:
    who = person(
        sid="5" * 64, given_name="Alice-given", family_name="Alice-family", preferred_username="a@contoso.example"
    )
    token = await signed_in(provider, who)
    revocation, client = provider.services.provider.revocation, AuthenticatedClient(application())
    await revocation.revoke(client, sent(token=token))
    (row,) = await every_row(provider, "family")
    told = [who.sub, who.email, who.name, who.given_name, who.family_name, who.preferred_username, who.oid]
    assert not [each for each in told if each is None or each in row.document]
    await provider.flows_table.write(Put(row.key, Family.read(row).document()))
    assert await refused(provider, token)
    provider.clock.advance(timedelta(days=62))
    await provider.flows.purge()
    assert await every_row(provider, "family") == []


async def test_a_family_that_the_release_before_has_ended_is_gone_and_so_is_its_name(provider: Provider) -> None:
    """It removed the row, perhaps while this one was about to change it."""
    sid = "5" * 64
    token = await signed_in(provider, person(sid=sid))
    (family,), (named,) = await every_row(provider, "family:"), await every_row(provider, "family-of:")
    revocation, client = provider.services.provider.revocation, AuthenticatedClient(application())

    async def remove() -> None:
        await provider.flows_table.write(Remove(family))

    provider.flows_raced.before_writing(remove)
    await revocation.revoke(client, sent(token=token))
    assert await every_row(provider, "family") == []
    await provider.flows_table.write(Put(named.key, named.document))
    hint = await provider.issuer.id_token(code(provider.clock.now(), person=person(sid=sid)), "access")
    await provider.end_session.begin(sent(id_token_hint=hint), confirmed=False)
    assert await every_row(provider, "family") == []


async def test_a_token_of_a_family_that_has_ended_is_no_alarm(
    provider: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    """Who was signed out renews once more before they know of it; nobody has copied anything."""
    token = await signed_in(provider)
    await provider.services.provider.revocation.revoke(AuthenticatedClient(application()), sent(token=token))
    assert await refused(provider, token)
    assert "refresh_token.reused" not in caplog.text


async def test_a_name_of_a_family_that_was_left_goes_whatever_ends_the_family_again(provider: Provider) -> None:
    """It was written once more, late, or a crash has left it; it says nothing of the person but their `sub`."""
    sid = "5" * 64
    for again in ("renewal", "revocation", "sign-out", "erasure", "purge"):
        token = await signed_in(provider, person(sid=sid))
        (named,) = await every_row(provider, "family-of")
        revocation, client = provider.services.provider.revocation, AuthenticatedClient(application())
        await revocation.revoke(client, sent(token=token))
        await provider.flows_table.write(Put(named.key, named.document))
        match again:
            case "renewal":
                assert await refused(provider, token)
            case "revocation":
                await revocation.revoke(client, sent(token=token))
            case "sign-out":
                hint = await provider.issuer.id_token(code(provider.clock.now(), person=person(sid=sid)), "access")
                await provider.end_session.begin(sent(id_token_hint=hint), confirmed=False)
            case "erasure":
                await provider.end_session.end_all_of(ACME, "subject")
            case _:
                provider.clock.advance(timedelta(days=62))
                await provider.flows.purge()
        assert await every_row(provider, "family-of") == [], again


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
