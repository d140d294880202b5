"""Codes as rows: what they tell, where they lie, and what an instance may know of them."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.flows.flows import digest
from shared.kernel.refusals import NotAuthenticated
from shared.policies.policy import Mode
from shared.ports.table import Key, Put, Remove, Replace
from shared.provider.authorization_response import ErrorPage
from shared.provider.client_authentication import AuthenticatedClient
from shared.provider.codes import SealedCode
from shared.provider.errors import OAuthError
from shared.provider.issuer import TOKEN_LIFETIME, Code
from shared.provider.sessions import Sessions, name_of_person
from shared.provider.token import TokenResponse
from shared.users.user_key import UserKey
from tests.unit.provider.walk import ENTRA_SID, answer_to, back, left, redeemed, renewed, rows, signed_in
from tests.unit.provider.world import (
    ACME,
    ALICE,
    BOB_OID,
    CALLBACK,
    OLGA,
    SAM,
    STALENESS,
    UNITE,
    VERIFIER,
    WHATEVER_STANDS,
    Provider,
    application,
    challenge_of,
    code,
    identity,
    person,
    sent,
)


async def refused(provider: Provider, handle: str, **changes: str) -> None:
    with pytest.raises(OAuthError) as refusal:
        await redeemed(provider, handle, **changes)
    assert refusal.value.error == "invalid_grant"


async def has_ended(provider: Provider, tokens: TokenResponse) -> bool:
    """Whether neither of the tokens is good any more."""
    with pytest.raises(OAuthError):
        await renewed(provider, tokens.refresh_token)
    with pytest.raises(NotAuthenticated):
        await provider.userinfo.claims(tokens.access_token)
    return True


BELL = "https://unite.example/bell"


@pytest.fixture
async def provider() -> Provider:
    """An instance that remembers what it reads."""
    provider = Provider(remembers=True)
    await provider.switch_on()
    await provider.add(refresh_tokens=True, backchannel_logout_uri=BELL)
    return provider


@pytest.fixture
def other(provider: Provider) -> Provider:
    """Another instance on the same store."""
    return replace(provider)


async def test_nobody_reads_in_the_store_what_a_code_says(provider: Provider) -> None:
    handle = await signed_in(provider, email=ALICE.address, given_name="Alice-given", family_name="Alice-family")
    (row,) = await rows(provider, "sealed-code:")
    told = (ALICE.address, "contoso", "Alice", "given", "family", "a-nonce", challenge_of(VERIFIER), CALLBACK, "acme")
    assert not [each for each in (*told, handle) if each in row.document]
    assert handle not in row.key.partition + row.key.row
    assert await redeemed(provider, handle)
    (row,) = await rows(provider, "sealed-code:")
    assert not [each for each in (*told, handle) if each in row.document], "nor when it was taken"


async def test_session_and_code_are_one_write(provider: Provider) -> None:
    await signed_in(provider)
    there = {row.key.row.partition(":")[0]: row.key.partition for row in await rows(provider)}
    assert there.keys() == {"sign-in-state", "sealed-code", "session", "session-of"}
    assert there["sealed-code"] == there["session"] == there["session-of"]
    assert there["session"].endswith(f"-{Sessions.name_of(ENTRA_SID)[0]}")


async def test_a_code_of_a_sign_in_that_no_session_names_lies_alone(provider: Provider) -> None:
    handle = await signed_in(provider, sid=None)
    assert await rows(provider, "session") == []
    assert (await redeemed(provider, handle)).refresh_token


async def test_a_code_that_was_changed_in_the_store_buys_nothing(provider: Provider, other: Provider) -> None:
    for sealed, taken in (("A" * 80, False), ("A", False), ("{}", False), ("A" * 80, True)):
        handle = await signed_in(provider)
        if taken:
            await redeemed(provider, handle)
        row = next(row for row in await rows(provider) if row.key.row == f"sealed-code:{digest(handle)}")
        changed = SealedCode.read(row).model_copy(update={"sealed": sealed})
        await provider.flows_table.write(Replace(row, changed.document()))
        await refused(other, handle)


async def test_a_code_whose_row_was_exchanged_for_another_ones_buys_nothing(
    provider: Provider, other: Provider
) -> None:
    """Somebody who writes to the table gives another person's row to a code of their own."""
    await provider.admit(ACME, ALICE, identity())
    own, theirs = await signed_in(provider), await signed_in(provider)
    found = {row.key.row: row for row in await rows(provider, "sealed-code:")}
    mine, foreign = (found[f"sealed-code:{digest(each)}"] for each in (own, theirs))
    await provider.flows_table.write(Replace(mine, foreign.document))
    await refused(other, own)
    assert await redeemed(other, theirs)


async def test_a_code_that_is_shown_again_on_the_same_day_ends_what_it_has_bought(
    provider: Provider, other: Provider
) -> None:
    for late, where in ((timedelta(0), provider), (timedelta(minutes=9), other)):
        handle = await signed_in(provider)
        tokens = await redeemed(provider, handle)
        provider.clock.advance(late)
        await refused(where, handle)
        assert await has_ended(provider, tokens)
    handle = await signed_in(provider)
    tokens = await redeemed(provider, handle)
    provider.clock.advance(timedelta(hours=12))
    await refused(provider, handle)
    assert await rows(provider, "family") == [], "long after the access token has expired"


async def test_a_wrong_proof_of_a_code_that_was_taken_elsewhere_ends_what_it_has_bought(
    provider: Provider, other: Provider
) -> None:
    """The instance that has issued the code has a copy, which tells nothing of the other instance."""
    handle = await signed_in(provider)
    tokens = await redeemed(other, handle)
    await refused(provider, handle, code_verifier=VERIFIER[::-1])
    assert await has_ended(provider, tokens)


async def test_a_code_that_was_taken_elsewhere_ends_its_access_token_though_its_refresh_tokens_were_revoked(
    provider: Provider, other: Provider
) -> None:
    handle = await signed_in(provider)
    tokens = await redeemed(other, handle)
    await other.services.provider.revocation.revoke(
        AuthenticatedClient(application()), sent(token=tokens.refresh_token or "")
    )
    await refused(provider, handle)
    assert await has_ended(provider, tokens)


async def test_a_code_is_good_once_whichever_instance_issued_it(provider: Provider, other: Provider) -> None:
    for first, second in ((provider, other), (other, provider)):
        handle = await signed_in(provider)
        tokens = await redeemed(first, handle)
        await refused(second, handle)
        assert await has_ended(provider, tokens)


async def test_a_wrong_proof_spends_a_code_on_every_instance(provider: Provider, other: Provider) -> None:
    for first, second in ((provider, other), (other, provider)):
        handle = await signed_in(provider)
        await refused(first, handle, code_verifier=VERIFIER[::-1])
        await refused(second, handle)


async def test_a_plain_code_of_the_release_before_is_good_once(provider: Provider) -> None:
    """Its row is in the partition of its minute, and can be read."""
    await provider.admit(ACME, ALICE, identity())
    issued = code(provider.flows.expiry(Code), scope=("openid", "offline_access"), person=person(sid=None))
    handle = await provider.flows.issue(issued, provider.flows.new_handle(Code, TOKEN_LIFETIME))
    tokens = await redeemed(provider, handle)
    await refused(provider, handle)
    assert await has_ended(provider, tokens)


# -- what has changed since the sign-in --------------------------------------------------------------------------------


async def released(at: Provider) -> None:
    await at.links.release(SAM, UserKey.of(ACME, ALICE))


async def erased(at: Provider) -> None:
    await at.services.privacy.erasure.erase(SAM, ALICE, None)


async def switched_off(at: Provider) -> None:
    off = {"mode": Mode.OFF}
    await at.services.policies.change(SAM, WHATEVER_STANDS, lambda settings: settings.model_copy(update=off))


async def closed(at: Provider) -> None:
    await at.services.connection.disconnection.close(OLGA, ACME, WHATEVER_STANDS)


@pytest.mark.parametrize("change", [released, erased, switched_off], ids=lambda change: change.__name__)
async def test_a_code_buys_nothing_once_something_has_changed_on_the_same_instance(
    provider: Provider, other: Provider, change: Callable[[Provider], Awaitable[None]]
) -> None:
    for instance in (provider, other):
        handle = await signed_in(provider)
        await change(provider)
        await refused(instance, handle)
        await provider.set_policy(Mode.ON)
        provider.clock.advance(STALENESS)


@pytest.mark.parametrize("change", [released, switched_off], ids=lambda change: change.__name__)
async def test_another_instance_hears_of_a_change_within_ten_seconds(
    provider: Provider, other: Provider, change: Callable[[Provider], Awaitable[None]]
) -> None:
    early, late = await signed_in(provider), await signed_in(provider)
    await change(other)
    provider.clock.advance(STALENESS - timedelta(seconds=1))
    assert await redeemed(provider, early)
    provider.clock.advance(timedelta(seconds=1))
    await refused(provider, late)


async def test_a_link_that_another_instance_has_just_made_is_found(provider: Provider, other: Provider) -> None:
    """An instance that has refused somebody with the wrong account a moment ago remembers that there was no link."""
    away = await left(other)
    bob = answer_to(other, away, oid=BOB_OID, preferred_username="bob@contoso.example")
    assert isinstance(await back(other, away, bob), ErrorPage)
    provider.clock.advance(timedelta(seconds=1))
    assert await redeemed(other, await signed_in(provider))


async def test_somebody_who_was_erased_elsewhere_gets_no_refresh_tokens_from_then_on(
    provider: Provider, other: Provider
) -> None:
    """Their session has ended, which is looked up before a token lives for weeks."""
    handle = await signed_in(provider)
    await erased(other)
    await refused(provider, handle)
    assert await rows(provider, "family") == []


async def test_a_renewal_reads_the_link_anew(provider: Provider, other: Provider) -> None:
    token = (await redeemed(provider, await signed_in(provider))).refresh_token
    await released(other)
    with pytest.raises(OAuthError, match="released"):
        await renewed(provider, token)


@pytest.mark.parametrize("change", [released, closed, switched_off], ids=lambda change: change.__name__)
async def test_what_a_change_elsewhere_has_missed_ends_at_its_first_renewal(
    provider: Provider, other: Provider, change: Callable[[Provider], Awaitable[None]]
) -> None:
    """A code that is redeemed in the ten seconds after it buys tokens for ten minutes, and no others after them."""
    await signed_in(provider)
    handle = await signed_in(provider)  # by a link that the instance remembers
    await change(other)
    token = (await redeemed(provider, handle)).refresh_token
    provider.clock.advance(STALENESS)
    with pytest.raises(OAuthError) as refusal:
        await renewed(provider, token)
    assert refusal.value.error == "invalid_grant"
    assert await rows(provider, "family") == []


async def test_the_session_of_somebody_whose_release_was_missed_ends_with_the_others(
    provider: Provider, other: Provider
) -> None:
    """Whoever is erased after that: their events tell who they were."""
    await signed_in(provider)
    handle = await signed_in(provider)
    await released(other)
    assert (await redeemed(provider, handle)).refresh_token
    assert (await other.services.privacy.erasure.erase(SAM, ALICE, None)).sessions == 1
    assert [url for url, _ in provider.doorbells.heard] == [BELL]
    assert await rows(provider, "session:") == await rows(provider, "family") == []


async def test_a_sign_in_that_comes_back_after_a_release_is_another_first_one(
    provider: Provider, other: Provider
) -> None:
    """What lets somebody in is read anew, whatever was remembered of it a moment ago."""
    await signed_in(provider)
    (before,) = (await provider.links.page(SAM, 10, None))[0]
    await released(other)
    provider.clock.advance(timedelta(seconds=1))
    await signed_in(provider)
    (after,) = (await provider.links.page(SAM, 10, None))[0]
    assert after.linked_at > before.linked_at


# -- erasure -----------------------------------------------------------------------------------------------------------


async def test_an_erasure_finds_every_session_whatever_its_shard_and_its_day(provider: Provider) -> None:
    sids = [f"{number:x}" * 64 for number in range(16)]
    for hours in (2, 23):
        provider.clock.advance(timedelta(hours=hours))
        for sid in sids:
            await provider.begin_session(person(sid=sid), UNITE, None)
    assert {*await provider.sessions.of_person(ACME, "subject")} == {*sids}
    assert await provider.sessions.of_person(ACME, "another") == ()
    assert await provider.end_session.end_all_of(ACME, "subject") == 32
    assert await rows(provider, "session:") == []


async def test_a_session_that_the_release_before_has_named_elsewhere_is_found(provider: Provider) -> None:
    """Its name for the person was in the person's shard."""
    sid, name = "5" * 64, name_of_person(ACME, "subject")
    await provider.begin_session(person(sid=sid), UNITE, None)
    (named,) = await rows(provider, "session-of:")
    await provider.flows_table.write(Remove(named))
    await provider.flows_table.write(Put(Key(f"{named.key.partition[:-1]}{name[0]}", named.key.row), "{}"))
    assert await provider.end_session.end_all_of(ACME, "subject") == 1
