"""The way to the tenant and back, where others act between its steps; the way itself is walked over HTTP."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from shared.accounts.head import Account, read_head
from shared.connection.connection import Connection, Status
from shared.flows.flows import digest
from shared.kernel.names import DomainName
from shared.kernel.refusals import FlowSpent, Malformed, Unavailable
from shared.policies.policy import Mode
from shared.ports.entra import Answer, ConsentMissing
from shared.ports.table import Put
from shared.provider.authorization import SignInState
from shared.provider.authorization_response import (
    EmailForm,
    ErrorPage,
    RedirectToApplication,
    RedirectToEntra,
    Remembering,
)
from shared.provider.errors import OAuthError
from shared.provider.issuer import Person, challenge_of
from shared.provider.reauthentication import AuthTimeMissing, SignInTooOld
from shared.provider.sessions import Sessions
from shared.provider.sign_in import SignIn
from shared.users.identity import subject_of
from shared.users.link import SignInRefused, SsoSwitchedOff
from tests.support.fakes import NEW_YEAR, FakeEntra
from tests.unit.provider.world import (
    ACME,
    ALICE,
    ALICE_OID,
    CALLBACK,
    CONTOSO,
    ISSUER,
    OLGA,
    SAM,
    UNITE,
    VERIFIER,
    WHATEVER_STANDS,
    Provider,
    identity,
    sent,
)

PASSWORD_PAGE = "https://unite.example/password?theme=dark"


@dataclass
class Story:
    """Acme is connected to Contoso and has SSO on; Alice is on her way into Unite."""

    provider: Provider
    entra: FakeEntra
    sign_in: SignIn

    async def ask(self, **changes: Any) -> Any:
        asked = {
            "client_id": "unite",
            "redirect_uri": CALLBACK,
            "response_type": "code",
            "scope": "openid email",
            "code_challenge": challenge_of(VERIFIER),
            "code_challenge_method": "S256",
            "state": "s",
            "login_hint": ALICE.address,
        }
        return await self.sign_in.authorize(sent(**asked | changes))

    async def leave(self, **changes: Any) -> tuple[RedirectToEntra, str]:
        """To Microsoft; and the state that comes back from there."""
        away = await self.ask(**changes)
        assert isinstance(away, RedirectToEntra)
        return away, query_of(away.url)["state"]

    async def sign_in_as(self, away: RedirectToEntra, state: str, **claims: Any) -> Any:
        code = self.entra.sign_in(away.url, identity(**claims))
        response = await self.sign_in.callback(Answer(state=state, code=code), away.binding.secret)
        return response.response if isinstance(response, Remembering) else response

    async def status(self) -> Status:
        return (await read_head(self.provider.accounts_table, ACME)).stored(Connection).record.status


@pytest.fixture
async def story(provider: Provider) -> Story:
    await provider.add(password_sign_in_uri=PASSWORD_PAGE)
    await provider.switch_on()
    return Story(provider, provider.entra, provider.services.provider.sign_in)


def query_of(url: str) -> dict[str, str]:
    return {name: value for name, (value,) in parse_qs(urlsplit(url).query).items()}


async def test_a_person_comes_back_with_a_code_that_speaks_of_them(story: Story) -> None:
    back = await story.sign_in_as(*await story.leave(nonce="n"), sid="sid-of-entra")
    query = query_of(back.url)
    assert (query["state"], query["iss"]) == ("s", ISSUER)
    code = (await story.provider.codes.find(query["code"])).code
    assert (code.client_id, code.redirect_uri, code.nonce, code.scope) == (UNITE, CALLBACK, "n", ("openid", "email"))
    assert (code.person.sub, code.person.email) == (subject_of(CONTOSO, ALICE_OID), ALICE.address)
    assert code.person.sid == Sessions.name_of("sid-of-entra")
    assert code.expires_at == story.provider.clock.now() + timedelta(seconds=60)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({}, {"login_hint": ALICE.address}),
        ({"prompt": "login"}, {"login_hint": ALICE.address, "prompt": "login"}),
        ({"prompt": "none"}, {"login_hint": ALICE.address, "prompt": "none"}),
        ({"prompt": "select_account"}, {"prompt": "select_account"}),
        ({"max_age": "60"}, {"login_hint": ALICE.address}),
        ({"max_age": "60", "prompt": "none"}, {"login_hint": ALICE.address, "prompt": "none"}),
        ({"max_age": "0"}, {"login_hint": ALICE.address, "prompt": "login"}),
        ({"prompt": "select_account", "max_age": "0"}, {"login_hint": ALICE.address, "prompt": "login"}),
    ],
)
async def test_what_entra_is_asked_follows_what_the_client_asks(
    story: Story, asked: dict[str, str], expected: dict[str, str]
) -> None:
    away, _ = await story.leave(**asked)
    query = query_of(away.url)
    assert {name: query[name] for name in ("login_hint", "prompt") if name in query} == expected


async def test_the_store_never_sees_what_opens_a_sign_in(story: Story) -> None:
    away, state = await story.leave()
    (row,) = [row async for row in story.provider.flows_table.partitions_before("0")]
    assert state not in repr(row)
    assert row.key.row == f"sign-in-state:{digest(state)}"
    assert away.binding.secret not in row.document
    assert state not in repr(away.binding)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"prompt": "none", "max_age": "0"}, "login_required"),
        ({"prompt": "none", "login_hint": None}, "login_required"),
        ({"prompt": "none", "login_hint": "nobody@nowhere.example"}, "login_required"),
        ({"code_challenge": None}, "invalid_request"),
    ],
)
async def test_what_cannot_be_done_goes_back_to_the_client(story: Story, changes: dict[str, Any], error: str) -> None:
    query = query_of((await story.ask(**changes)).url)
    assert (query["error"], query["state"], query["iss"]) == (error, "s", ISSUER)


async def test_an_answer_that_another_instance_takes_first_is_the_second_one(story: Story) -> None:
    """Both have found the state as it was: the slower one finds out when it marks it, and begins again."""
    away, state = await story.leave()
    code = story.entra.sign_in(away.url, identity())
    answers = list[Any]()

    async def overtake() -> None:
        answers.append(await story.sign_in.callback(Answer(state=state, code=code), away.binding.secret))

    story.provider.flows_raced.before_writing(overtake)
    second = await story.sign_in.callback(Answer(state=state, code=code), away.binding.secret)
    assert [type(each) for each in (answers[0].response, second)] == [RedirectToApplication, RedirectToEntra]


async def test_a_state_that_is_sent_twice_goes_back_to_nobody(story: Story) -> None:
    query = query_of((await story.ask(state=("1", "2"))).url)
    assert query["error"] == "invalid_request"
    assert "state" not in query


@pytest.mark.parametrize(("hint", "explained"), [(None, False), ("", False), ("alice", True)])
async def test_whom_nobody_named_is_asked(story: Story, hint: str | None, *, explained: bool) -> None:
    asked = await story.ask(login_hint=hint)
    assert isinstance(asked, EmailForm)
    assert (asked.fault is not None) is explained


async def test_who_stays_on_the_password_takes_along_what_the_application_needs(story: Story) -> None:
    back = await story.ask(login_hint="nobody@nowhere.example")
    assert back == RedirectToApplication(f"{PASSWORD_PAGE}&login_hint=nobody%40nowhere.example&state=s")
    await story.provider.register.remove(OLGA, UNITE, WHATEVER_STANDS)
    await story.provider.add()
    assert query_of((await story.ask(login_hint="nobody@nowhere.example")).url)["error"] == "sso_does_not_apply"


async def test_an_application_that_is_not_there_is_answered_nowhere(story: Story) -> None:
    with pytest.raises(Malformed, match="client_id"):
        await story.ask(client_id="nobody")
    away, state = await story.leave()
    await story.provider.register.remove(OLGA, UNITE, WHATEVER_STANDS)
    with pytest.raises(Malformed, match="client_id"):
        await story.sign_in_as(away, state)


async def close_account(story: Story) -> None:
    """Mark the account as one that is being erased."""
    key = Account.key(ACME)
    row = await story.provider.accounts_table.get(key)
    assert row is not None
    closing = Account.read(row).model_copy(update={"closing": True})
    await story.provider.accounts_table.write(Put(key, closing.document()))


async def replace_account(story: Story) -> None:
    """Another account of the same id, registered a second later."""
    story.provider.clock.advance(timedelta(seconds=1))
    now = story.provider.clock.now()
    account = Account(account_id=ACME, name="Another", created_at=now, updated_at=now)
    await story.provider.accounts_table.write(Put(Account.key(ACME), account.document()))


@pytest.mark.parametrize("gone", [close_account, replace_account])
async def test_a_state_of_an_account_that_is_gone_is_refused(
    story: Story, gone: Callable[[Story], Awaitable[None]]
) -> None:
    away = await story.leave()
    await gone(story)
    ended = await story.sign_in_as(*away)
    assert isinstance(ended, ErrorPage)
    assert isinstance(ended.refusal, SsoSwitchedOff)


@pytest.mark.parametrize("gone", [close_account, replace_account])
async def test_a_code_of_an_account_that_is_gone_buys_nothing(
    story: Story, gone: Callable[[Story], Awaitable[None]]
) -> None:
    back = await story.sign_in_as(*await story.leave())
    await gone(story)
    asked = {"client_id": UNITE, "grant_type": "authorization_code", "redirect_uri": CALLBACK}
    with pytest.raises(OAuthError) as refusal:
        await story.provider.redeem(sent(**asked, code=query_of(back.url)["code"], code_verifier=VERIFIER))
    assert (refusal.value.error, "no longer exists" in refusal.value.detail) == ("invalid_grant", True)


async def test_sso_that_was_switched_off_meanwhile_lets_nobody_in(story: Story) -> None:
    away, state = await story.leave()
    await story.provider.set_policy(Mode.OFF)
    ended = await story.sign_in_as(away, state)
    assert isinstance(ended, ErrorPage)
    assert isinstance(ended.refusal, SsoSwitchedOff)
    assert ended.again_url is None
    assert query_of(ended.application_url)["error"] == "sso_does_not_apply"


@pytest.mark.parametrize(
    ("asked", "again"),
    [
        ({}, "select_account"),
        ({"prompt": "select_account"}, "select_account"),
        ({"max_age": "60"}, "select_account"),
        ({"prompt": "login"}, "login"),
        ({"max_age": "0"}, "login"),
    ],
)
async def test_what_another_account_can_mend_may_be_tried_again_with_another_account(
    story: Story, asked: dict[str, str], again: str
) -> None:
    ended = await story.sign_in_as(*await story.leave(**asked), acct=1, auth_time=story.provider.clock.now())
    query = query_of(ended.again_url)
    assert (query["prompt"], query["login_hint"], query["state"]) == (again, ALICE.address, "s")
    assert query.get("max_age") == asked.get("max_age")


LONG_AGO = NEW_YEAR - timedelta(hours=1)


async def person_of(story: Story, back: RedirectToApplication) -> Person:
    return (await story.provider.codes.find(query_of(back.url)["code"])).code.person


@pytest.mark.parametrize("auth_time", [None, LONG_AGO, NEW_YEAR])
async def test_what_entra_says_of_when_they_signed_in_is_kept(story: Story, auth_time: datetime | None) -> None:
    back = await story.sign_in_as(*await story.leave(), auth_time=auth_time)
    assert (await person_of(story, back)).auth_time == auth_time


@pytest.mark.parametrize("prompt", [None, "select_account"])
async def test_who_signed_in_longer_ago_than_max_age_is_sent_back_once_to_sign_in(
    story: Story, prompt: str | None
) -> None:
    anew = await story.sign_in_as(*await story.leave(max_age="60", prompt=prompt), auth_time=LONG_AGO)
    assert isinstance(anew, RedirectToEntra)
    asked = query_of(anew.url)
    assert (asked["prompt"], asked["login_hint"]) == ("login", ALICE.address)

    ended = await story.sign_in_as(anew, asked["state"], auth_time=LONG_AGO)
    assert isinstance(ended.refusal, SignInTooOld)
    again = query_of(ended.again_url)
    assert (again["prompt"], again["max_age"]) == ("login", "60")


async def test_who_then_signs_in_is_let_in(story: Story) -> None:
    anew = await story.sign_in_as(*await story.leave(max_age="60"), auth_time=LONG_AGO)
    back = await story.sign_in_as(anew, query_of(anew.url)["state"], auth_time=NEW_YEAR)
    assert (await person_of(story, back)).auth_time == NEW_YEAR


async def test_an_address_whose_domain_is_claimed_by_nobody_is_left_out(story: Story) -> None:
    """The account's own rows say that it routes, and its claim does not."""
    renamed = "alice@contoso-mail.example"
    await story.sign_in_as(*await story.leave())
    await story.provider.connect(CONTOSO, ALICE.domain, "contoso-mail.example")
    back = await story.sign_in_as(*await story.leave(), preferred_username=renamed)
    assert (await person_of(story, back)).email is None
    claims = story.provider.services.connection.domains.routing.claims
    await claims.claim(DomainName("contoso-mail.example"), ACME, CONTOSO)
    back = await story.sign_in_as(*await story.leave(), preferred_username=renamed)
    assert (await person_of(story, back)).email == renamed


async def test_nobody_is_tied_by_a_sign_in_that_is_too_old(story: Story) -> None:
    await story.sign_in_as(*await story.leave(prompt="login"), auth_time=LONG_AGO)
    tied, _ = await story.provider.links.page(SAM, 1, None)
    assert tied == ()


async def test_who_is_sent_back_after_sso_was_switched_off_goes_to_the_password_instead(story: Story) -> None:
    away, state = await story.leave(max_age="60")
    await story.provider.set_policy(Mode.OFF)
    back = await story.sign_in_as(away, state, auth_time=LONG_AGO)
    assert back == RedirectToApplication(f"{PASSWORD_PAGE}&login_hint=alice%40contoso.example&state=s")


@pytest.mark.parametrize("auth_time", [None, LONG_AGO])
async def test_a_client_that_wants_no_page_hears_that_a_login_is_needed(
    story: Story, auth_time: datetime | None
) -> None:
    back = await story.sign_in_as(*await story.leave(prompt="none", max_age="60"), auth_time=auth_time)
    assert query_of(back.url)["error"] == "login_required"


@pytest.mark.parametrize("asked", [{"prompt": "login"}, {"max_age": "0"}, {"max_age": "999999"}])
async def test_without_auth_time_nothing_is_taken_for_recent_and_trying_again_does_not_help(
    story: Story, asked: dict[str, str]
) -> None:
    ended = await story.sign_in_as(*await story.leave(**asked))
    assert isinstance(ended.refusal, AuthTimeMissing)
    assert ended.again_url is None


async def test_a_client_that_wants_no_page_hears_of_a_refusal_itself(story: Story) -> None:
    back = await story.sign_in_as(*await story.leave(prompt="none"), acct=1)
    assert query_of(back.url)["error"] == "interaction_required"


async def test_what_entra_says_to_a_silent_request_goes_back_to_the_client(story: Story) -> None:
    away, state = await story.leave(prompt="none")
    back = await story.sign_in.callback(Answer(state=state, error="login_required"), away.binding.secret)
    assert query_of(back.url)["error"] == "login_required"


@pytest.mark.parametrize(
    ("consented", "error", "status"),
    [
        (False, "unauthorized_client", Status.CONSENT_REVOKED),
        (True, "unauthorized_client", Status.CONNECTED),
        (False, "server_error", Status.CONNECTED),
    ],
)
async def test_only_our_own_probe_tells_that_a_consent_is_gone(
    story: Story, *, consented: bool, error: str, status: Status
) -> None:
    away, state = await story.leave()
    if not consented:
        story.entra.consented.clear()
    ended = await story.sign_in.callback(Answer(state=state, error=error), away.binding.secret)
    assert isinstance(ended, ErrorPage)
    assert await story.status() is status


async def test_a_code_that_entra_does_not_know_is_explained(story: Story) -> None:
    away, state = await story.leave()
    ended = await story.sign_in.callback(Answer(state=state, code="made-up"), away.binding.secret)
    assert isinstance(ended, ErrorPage)
    assert ended.again_url is not None


async def test_an_answer_without_code_and_error_is_explained(story: Story) -> None:
    away, state = await story.leave()
    ended = await story.sign_in.callback(Answer(state=state), away.binding.secret)
    assert isinstance(ended.refusal, Malformed)


@pytest.mark.parametrize("state", [None, "", "made-up"])
async def test_an_answer_to_nothing_is_refused(story: Story, state: str | None) -> None:
    with pytest.raises(FlowSpent):
        await story.sign_in.callback(Answer(state=state, code="code"), None)


@pytest.mark.parametrize("part", ["store", "entra"])
async def test_what_is_out_when_somebody_leaves_is_told_with_ways_on(
    story: Story, part: str, caplog: pytest.LogCaptureFixture
) -> None:
    out = {"store": story.provider.flows_table, "entra": story.entra}[part]
    out.available = False
    ended = await story.ask(max_age="60")
    assert isinstance(ended, ErrorPage)
    assert isinstance(ended.refusal, Unavailable)
    assert query_of(ended.application_url)["error"] == "temporarily_unavailable"
    assert "sign-in unavailable: It does not answer." in caplog.text
    silent = query_of((await story.ask(prompt="none")).url)
    assert (silent["error"], silent["state"], silent["iss"]) == ("temporarily_unavailable", "s", ISSUER)

    out.available = True
    assert ended.again_url is not None
    again = query_of(ended.again_url)
    assert "prompt" not in again, "who tries again asks for the same"
    assert isinstance(await story.sign_in.authorize(sent(**again)), RedirectToEntra)


async def test_a_store_that_does_not_say_who_asks_answers_nobody(story: Story) -> None:
    story.provider.applications.available = False
    with pytest.raises(Unavailable):
        await story.ask(prompt="none")


async def test_a_tenant_that_is_gone_is_explained_and_people_fall_back_to_the_password(story: Story) -> None:
    story.entra.organizations.clear()
    ended = await story.ask()
    assert isinstance(ended, ErrorPage)
    assert isinstance(ended.refusal, ConsentMissing)
    assert query_of(ended.application_url)["error"] == "access_denied"
    assert await story.status() is Status.CONSENT_REVOKED
    assert isinstance(await story.ask(), RedirectToApplication)


async def test_a_client_that_wants_no_page_hears_of_a_tenant_that_is_gone_itself(story: Story) -> None:
    story.entra.organizations.clear()
    assert query_of((await story.ask(prompt="none")).url)["error"] == "interaction_required"
    assert await story.status() is Status.CONSENT_REVOKED


async def test_what_entra_refused_is_told_though_the_store_is_out_meanwhile(story: Story) -> None:
    away, state = await story.leave()
    story.provider.accounts_table.available = False
    ended = await story.sign_in.callback(Answer(state=state, error="unauthorized_client"), away.binding.secret)
    assert isinstance(ended, ErrorPage)
    assert isinstance(ended.refusal, SignInRefused)


async def test_a_state_lives_for_a_quarter_of_an_hour(story: Story) -> None:
    away, state = await story.leave()
    story.provider.clock.advance(SignInState.lifetime)
    ended = await story.sign_in_as(away, state)
    assert isinstance(ended.refusal, FlowSpent)
    assert ended.again_url is not None
