"""The way to the tenant and back, where others act between its steps; the way itself is walked over HTTP."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from shared.accounts.claims import Claims
from shared.accounts.head import read_head
from shared.accounts.register import AccountRegister
from shared.broker.issuing import Code, challenge_of, subject_of
from shared.broker.links import LinkConflict
from shared.broker.sessions import Sessions
from shared.broker.sign_in import (
    AskForEmail,
    Explained,
    SignIn,
    SignInState,
    SsoSwitchedOff,
    ToApplication,
    ToMicrosoft,
)
from shared.connection.connection import Connection, Status
from shared.connection.domain_routing import DomainRouting
from shared.connection.lifecycle import Lifecycle
from shared.connection.proof import Answer
from shared.connection.tenant_domains import Hold, TenantDomain, TenantDomains
from shared.flows.flows import digest
from shared.kernel.pseudonyms import Pseudonyms
from shared.kernel.refusals import FlowSpent, Malformed, Unavailable
from shared.policies.policy import Mode, Policy, PolicySettings
from shared.ports.identity_provider import Organization
from shared.ports.table import Key, Put
from shared.resolution.resolver import Resolver, Shelves
from tests.support.fakes import FakeIdentityProvider, InMemoryTable, Unremembered
from tests.unit.broker.world import (
    ACME,
    ALICE,
    ALICE_OID,
    BOB_OID,
    CALLBACK,
    CONTOSO,
    ISSUER,
    OLGA,
    UNITE,
    VERIFIER,
    WHATEVER_STANDS,
    Broker,
    identity,
    sent,
)

PASSWORD_PAGE = "https://unite.example/password?theme=dark"


@dataclass
class Story:
    """Acme is connected to Contoso and has SSO on; Alice is on her way into Unite."""

    broker: Broker
    provider: FakeIdentityProvider
    sign_in: SignIn

    async def set_policy(self, mode: Mode) -> None:
        policy = Policy(settings=PolicySettings(mode=mode))
        await self.broker.accounts_table.write(Put(Policy.key(ACME), policy.document()))

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
        return await self.sign_in.authorize(sent(**asked | changes), None)

    async def leave(self, **changes: Any) -> tuple[ToMicrosoft, str]:
        """To Microsoft; and the state that comes back from there."""
        away = await self.ask(**changes)
        assert isinstance(away, ToMicrosoft)
        return away, query_of(away.url)["state"]

    async def sign_in_as(self, away: ToMicrosoft, state: str, **claims: Any) -> Any:
        code = self.provider.sign_in(away.url, identity(**claims))
        return await self.sign_in.complete(Answer(state=state, code=code), away.browser)

    async def status(self) -> Status:
        return (await read_head(self.broker.accounts_table, ACME)).stored(Connection).record.status


@pytest.fixture
async def story(broker: Broker) -> Story:
    provider, domains = FakeIdentityProvider(), InMemoryTable()
    provider.organizations[CONTOSO] = Organization(
        tenant_id=CONTOSO, display_name="Contoso", verified_domains=(ALICE.domain,)
    )
    provider.consented.add(CONTOSO)
    claims = Claims(domains, broker.clock)
    await claims.claim(ALICE.domain, ACME)
    await broker.add(password_sign_in_uri=PASSWORD_PAGE)
    await broker.add_account()
    connection = Connection(status=Status.CONNECTED, tenant_id=CONTOSO, connected_at=broker.clock.now())
    routed = TenantDomains(domains=(TenantDomain(name=ALICE.domain, hold=Hold.OURS),))
    await broker.accounts_table.write(
        Put(Connection.key(ACME), connection.document()), Put(TenantDomains.key(ACME), routed.document())
    )
    accounts = AccountRegister(broker.accounts_table, broker.journal, broker.clock)
    routing = DomainRouting(broker.accounts_table, broker.journal, claims, provider, broker.clock)
    lifecycle = Lifecycle(broker.accounts_table, broker.journal, routing, accounts, provider, broker.clock)
    shelves = Shelves(*map(Unremembered, (broker.accounts_table, domains, broker.applications)))
    resolver = Resolver(shelves, provider, broker.clock, Pseudonyms(b"key"), f"{ISSUER}/oauth2/authorize")
    sign_in = SignIn(
        broker.clients,
        resolver,
        broker.flows,
        broker.links,
        broker.sessions,
        lifecycle,
        provider,
        broker.clock,
        ISSUER,
    )
    story = Story(broker, provider, sign_in)
    await story.set_policy(Mode.ON)
    return story


def query_of(url: str) -> dict[str, str]:
    return {name: value for name, (value,) in parse_qs(urlsplit(url).query).items()}


async def test_a_person_comes_back_with_a_code_that_speaks_of_them(story: Story) -> None:
    back = await story.sign_in_as(*await story.leave(nonce="n"), sid="sid-of-entra")
    query = query_of(back.url)
    assert (query["state"], query["iss"]) == ("s", ISSUER)
    code = await story.broker.flows.redeem(query["code"], Code)
    assert (code.client_id, code.redirect_uri, code.nonce, code.scope) == (UNITE, CALLBACK, "n", ("openid", "email"))
    assert (code.person.sub, code.person.email) == (subject_of(CONTOSO, ALICE_OID), ALICE.address)
    assert code.person.sid == Sessions.name_of("sid-of-entra")
    assert code.expires_at == story.broker.clock.now() + timedelta(seconds=60)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({}, {"login_hint": ALICE.address}),
        ({"prompt": "login"}, {"login_hint": ALICE.address, "prompt": "login"}),
        ({"prompt": "none"}, {"login_hint": ALICE.address, "prompt": "none"}),
        ({"prompt": "select_account"}, {"prompt": "select_account"}),
        ({"max_age": "60"}, {"login_hint": ALICE.address, "prompt": "login"}),
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
    row = await story.broker.flows_table.get(Key(digest(state), "sign-in-state"))
    assert row is not None
    assert state not in row.document
    assert away.browser not in row.document


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"prompt": "none", "max_age": "60"}, "login_required"),
        ({"prompt": "none", "login_hint": None}, "login_required"),
        ({"prompt": "none", "login_hint": "nobody@nowhere.example"}, "login_required"),
        ({"code_challenge": None}, "invalid_request"),
    ],
)
async def test_what_cannot_be_done_goes_back_to_the_client(story: Story, changes: dict[str, Any], error: str) -> None:
    query = query_of((await story.ask(**changes)).url)
    assert (query["error"], query["state"], query["iss"]) == (error, "s", ISSUER)


async def test_a_state_that_is_sent_twice_goes_back_to_nobody(story: Story) -> None:
    query = query_of((await story.ask(state=("1", "2"))).url)
    assert query["error"] == "invalid_request"
    assert "state" not in query


@pytest.mark.parametrize(("hint", "explained"), [(None, False), ("", False), ("alice", True)])
async def test_whom_nobody_named_is_asked(story: Story, hint: str | None, *, explained: bool) -> None:
    asked = await story.ask(login_hint=hint)
    assert isinstance(asked, AskForEmail)
    assert (asked.fault is not None) is explained


async def test_who_stays_on_the_password_takes_along_what_the_application_needs(story: Story) -> None:
    back = await story.ask(login_hint="nobody@nowhere.example")
    assert back == ToApplication(f"{PASSWORD_PAGE}&login_hint=nobody%40nowhere.example&state=s")
    await story.broker.register.remove(OLGA, UNITE, WHATEVER_STANDS)
    await story.broker.add()
    assert query_of((await story.ask(login_hint="nobody@nowhere.example")).url)["error"] == "access_denied"


async def test_an_application_that_is_not_there_is_answered_nowhere(story: Story) -> None:
    with pytest.raises(Malformed, match="client_id"):
        await story.ask(client_id="nobody")
    away, state = await story.leave()
    await story.broker.register.remove(OLGA, UNITE, WHATEVER_STANDS)
    with pytest.raises(Malformed, match="client_id"):
        await story.sign_in_as(away, state)


async def test_sso_that_was_switched_off_meanwhile_lets_nobody_in(story: Story) -> None:
    away, state = await story.leave()
    await story.set_policy(Mode.OFF)
    ended = await story.sign_in_as(away, state)
    assert isinstance(ended, Explained)
    assert isinstance(ended.refusal, SsoSwitchedOff)
    assert ended.again_url is None
    assert query_of(ended.application_url)["error"] == "access_denied"


async def test_who_gets_the_address_while_another_signs_in_keeps_it(story: Story) -> None:
    away, state = await story.leave()

    async def bob_is_first() -> None:
        await story.broker.links.admit(ACME, ALICE, identity(oid=BOB_OID))

    story.broker.accounts_raced.before_writing(bob_is_first)
    ended = await story.sign_in_as(away, state)
    assert isinstance(ended.refusal, LinkConflict)
    assert ended.again_url is None


async def test_what_another_account_can_mend_may_be_tried_again_and_asks_for_a_login(story: Story) -> None:
    ended = await story.sign_in_as(*await story.leave(prompt="select_account"), acct=1)
    again = query_of(ended.again_url)
    assert (again["prompt"], again["login_hint"], again["state"]) == ("login", ALICE.address, "s")


async def test_a_client_that_wants_no_page_hears_of_a_refusal_itself(story: Story) -> None:
    back = await story.sign_in_as(*await story.leave(prompt="none"), acct=1)
    assert query_of(back.url)["error"] == "interaction_required"


async def test_what_entra_says_to_a_silent_request_goes_back_to_the_client(story: Story) -> None:
    away, state = await story.leave(prompt="none")
    back = await story.sign_in.complete(Answer(state=state, error="login_required"), away.browser)
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
        story.provider.consented.clear()
    assert isinstance(await story.sign_in.complete(Answer(state=state, error=error), away.browser), Explained)
    assert await story.status() is status


async def test_a_code_that_entra_does_not_know_is_explained(story: Story) -> None:
    away, state = await story.leave()
    ended = await story.sign_in.complete(Answer(state=state, code="made-up"), away.browser)
    assert isinstance(ended, Explained)
    assert ended.again_url is not None


async def test_an_answer_without_code_and_error_is_explained(story: Story) -> None:
    away, state = await story.leave()
    assert isinstance((await story.sign_in.complete(Answer(state=state), away.browser)).refusal, Malformed)


@pytest.mark.parametrize("state", [None, "", "made-up"])
async def test_an_answer_to_nothing_is_refused(story: Story, state: str | None) -> None:
    with pytest.raises(FlowSpent):
        await story.sign_in.complete(Answer(state=state, code="code"), None)


async def test_a_store_that_is_out_when_somebody_leaves_is_told(story: Story) -> None:
    story.broker.flows_table.available = False
    with pytest.raises(Unavailable):
        await story.ask()


async def test_a_state_lives_for_a_quarter_of_an_hour(story: Story) -> None:
    away, state = await story.leave()
    story.broker.clock.advance(SignInState.lifetime)
    with pytest.raises(FlowSpent):
        await story.sign_in_as(away, state)
