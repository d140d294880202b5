"""Every operation of the provider, of the purge and of the duties, with what comes before it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from shared.applications.application import AuthMethod
from shared.connection.connection import Connection
from shared.kernel.refusals import Refusal, Unavailable
from shared.policies.policy import Mode
from shared.ports.entra import Answer
from shared.ports.table import Put
from shared.provider.authorization_response import EmailForm, ErrorPage, RedirectToApplication, RedirectToEntra
from shared.provider.client_authentication import AuthenticatedClient
from shared.provider.end_session import ToEntra
from shared.provider.errors import OAuthError
from shared.provider.issuer import Code
from shared.provider.parameters import Parameters
from shared.provider.pushed_requests import Pushed
from shared.provider.sessions import Sessions
from shared.provider.token import TokenResponse
from tests.support.disturbances import Disturbance
from tests.unit.provider.test_client_authentication import JWKS, asserted, assertion
from tests.unit.provider.walk import ASKED, ENTRA_SID, answer_to, back, code_in, redeemed, renewed, rows
from tests.unit.provider.world import (
    ACME,
    ALICE,
    CONTOSO,
    OLGA,
    SAM,
    UNITE,
    WHATEVER_STANDS,
    Provider,
    code,
    person,
    sent,
)

BELL = "https://unite.example/bell"
SID = Sessions.name_of(ENTRA_SID)

type Step = Callable[["World"], Awaitable[object]]


def elsewhere(before: Step) -> Step:
    """What comes before, after which another instance goes on: it has no copy of what the first one has issued."""

    async def before_another_instance(world: "World") -> None:
        await before(world)
        world.__post_init__()

    return before_another_instance


class World(Provider):
    """The provider, with what a browser and a client hold between two steps."""

    left: RedirectToEntra
    answer: Answer
    code: str
    text: str
    id_token: str
    refresh_token: str
    named: Parameters
    hint: str | None = ALICE.address


async def prepared(world: World) -> None:
    await world.switch_on()
    await world.add(backchannel_logout_uri=BELL, refresh_tokens=True)


async def authorize(world: World, scope: str = "openid email") -> object:
    response = await world.sign_in.authorize(sent(**ASKED | {"scope": scope}))
    if isinstance(response, RedirectToEntra):
        world.left = response
    return response


async def push(world: World) -> object:
    client = await world.clients.authenticate(None, sent(client_id="unite"))
    asked = {**ASKED, "scope": "openid email", "login_hint": world.hint}
    pushed = await world.services.provider.pushed.push(client, sent(**asked))
    world.named = sent(client_id="unite", request_uri=pushed.request_uri)
    return pushed


async def with_a_pushed_request(world: World) -> None:
    await prepared(world)
    await push(world)


async def with_a_request_that_names_nobody(world: World) -> None:
    world.hint = None
    await with_a_pushed_request(world)


async def open_pushed(world: World) -> object:
    return await world.sign_in.authorize(world.named)


async def at_microsoft(world: World) -> None:
    await prepared(world)
    await back_to_microsoft(world)


async def back_to_microsoft(world: World, scope: str = "openid email") -> None:
    await authorize(world, scope)
    world.answer = answer_to(world, world.left)


async def come_back(world: World) -> object:
    response = await back(world, world.left, world.answer)
    if isinstance(response, RedirectToApplication):
        world.code = code_in(response)
    return response


async def begin_again(world: World) -> object:
    await back_to_microsoft(world)
    return await come_back(world)


async def with_a_code(world: World) -> None:
    await at_microsoft(world)
    await come_back(world)


async def redeem(world: World) -> object:
    return await redeemed(world, world.code)


async def with_a_code_for_refresh_tokens(world: World) -> None:
    await prepared(world)
    await back_to_microsoft(world, "openid offline_access")
    await come_back(world)


async def redeem_for_refresh_tokens(world: World) -> object:
    """A code that was used up for nobody gives way to another sign-in."""
    try:
        response = await redeem(world)
    except OAuthError:
        await back_to_microsoft(world, "openid offline_access")
        await come_back(world)
        response = await redeem(world)
    assert isinstance(response, TokenResponse)
    assert response.refresh_token is not None
    world.refresh_token, world.id_token = response.refresh_token, response.id_token
    return response


async def with_a_family_of_a_code_that_was_not_taken(world: World) -> None:
    """The last call of redeeming it did not arrive."""
    ideal = World()
    await with_a_code_for_refresh_tokens(ideal)
    await played(ideal, redeem)
    await with_a_code_for_refresh_tokens(world)
    world.script.disturb(ideal.script.made, Disturbance.NOT_MADE)
    assert isinstance(await played(world, redeem), Unavailable)
    world.script.disturb(0, None)


async def with_a_refresh_token(world: World) -> None:
    await with_a_code_for_refresh_tokens(world)
    await redeem_for_refresh_tokens(world)


async def renew(world: World) -> object:
    return await renewed(world, world.refresh_token)


async def renew_twice(world: World) -> object:
    """What is given for the token before, whatever was disturbed, must be good."""
    response = await renew(world)
    assert isinstance(response, TokenResponse)
    again = await renew(world)
    assert isinstance(again, TokenResponse)
    assert again.refresh_token == response.refresh_token
    return response


async def renew_after_the_end_of_sso(world: World) -> object:
    try:
        return await renew(world)
    except OAuthError:
        return None


async def without_sso(world: World) -> None:
    await with_a_refresh_token(world)
    await world.set_policy(Mode.OFF)
    world.clock.advance(timedelta(seconds=11))


async def revoke(world: World) -> object:
    client = await world.clients.authenticate(None, sent(client_id=UNITE))
    return await world.services.provider.revocation.revoke(client, sent(token=world.refresh_token))


async def with_an_assertion(world: World) -> None:
    await world.add(token_endpoint_auth_method=AuthMethod.PRIVATE_KEY_JWT, jwks=JWKS)
    world.text = assertion(world)


async def authenticate(world: World) -> object:
    return await world.clients.authenticate(None, asserted(world.text))


async def signed_in(world: World) -> None:
    await with_a_code(world)
    issued = code(world.flows.expiry(Code), person=person(sid=SID))
    world.id_token = await world.issuer.id_token(issued, "access")


async def sign_out(world: World) -> object:
    return await world.end_session.begin(sent(id_token_hint=world.id_token), confirmed=False)


async def sign_out_at_microsoft(world: World) -> object:
    return await world.end_session.front_channel(ENTRA_SID)


async def hours_later(world: World) -> object:
    for _ in range(15):
        world.clock.advance(timedelta(minutes=10))
        await world.services.upkeep.duties.run()
    return None


async def with_a_late_notice(world: World) -> None:
    await signed_in(world)
    world.doorbells.deaf = {BELL}
    await sign_out(world)
    world.doorbells.deaf = set()
    world.clock.advance(timedelta(minutes=3))


async def with_a_doubt(world: World) -> None:
    await prepared(world)
    world.entra.consented.clear()
    await world.services.connection.checks.check(SAM)
    world.entra.consented.add(CONTOSO)
    world.clock.advance(timedelta(minutes=30))


async def closed_with_late_rows(world: World) -> None:
    await prepared(world)
    await world.services.connection.disconnection.close(OLGA, ACME, WHATEVER_STANDS)
    await world.accounts_table.write(Put(Connection.key(ACME), Connection().document()))
    world.clock.advance(timedelta(minutes=10))


async def run_duties(world: World) -> object:
    return await world.services.upkeep.duties.run()


async def expired(world: World) -> None:
    await with_a_code(world)
    await authorize(world)
    world.clock.advance(timedelta(days=3))


async def purge(world: World) -> object:
    return await world.flows.purge()


@dataclass(frozen=True)
class Case:
    """An operation: what comes before it, what is done if it is refused, and what happens by itself in the end."""

    before: Step
    act: Step
    result: type | tuple[type, ...]
    anew: Step
    at_last: Step | None = None


CASES = {
    "authorize": Case(prepared, authorize, RedirectToEntra, authorize),
    "push": Case(prepared, push, Pushed, push),
    "authorize what was pushed": Case(with_a_pushed_request, open_pushed, RedirectToEntra, open_pushed),
    "ask for the address": Case(with_a_request_that_names_nobody, open_pushed, EmailForm, open_pushed),
    "complete": Case(at_microsoft, come_back, RedirectToApplication, begin_again),
    "redeem": Case(with_a_code, redeem, TokenResponse, redeem),
    "redeem for refresh tokens": Case(
        with_a_code_for_refresh_tokens, redeem_for_refresh_tokens, TokenResponse, redeem_for_refresh_tokens
    ),
    "redeem again for refresh tokens": Case(
        with_a_family_of_a_code_that_was_not_taken,
        redeem_for_refresh_tokens,
        TokenResponse,
        redeem_for_refresh_tokens,
    ),
    "complete elsewhere": Case(elsewhere(at_microsoft), come_back, RedirectToApplication, begin_again),
    "redeem elsewhere": Case(elsewhere(with_a_code), redeem, TokenResponse, redeem),
    "redeem elsewhere for refresh tokens": Case(
        elsewhere(with_a_code_for_refresh_tokens),
        redeem_for_refresh_tokens,
        TokenResponse,
        redeem_for_refresh_tokens,
    ),
    "renew": Case(with_a_refresh_token, renew_twice, TokenResponse, renew_twice),
    "renew without SSO": Case(without_sso, renew_after_the_end_of_sso, type(None), renew_after_the_end_of_sso),
    "revoke": Case(with_a_refresh_token, revoke, type(None), revoke),
    "sign out with refresh tokens": Case(with_a_refresh_token, sign_out, ToEntra, sign_out, hours_later),
    "authenticate by an assertion": Case(with_an_assertion, authenticate, AuthenticatedClient, authenticate),
    "sign out": Case(signed_in, sign_out, ToEntra, sign_out, hours_later),
    "sign out at Microsoft": Case(signed_in, sign_out_at_microsoft, type(None), sign_out_at_microsoft, hours_later),
    "send a late notice": Case(with_a_late_notice, run_duties, int, run_duties, hours_later),
    "probe a doubted consent": Case(with_a_doubt, run_duties, int, run_duties, hours_later),
    "sweep a closed account": Case(closed_with_late_rows, run_duties, int, run_duties, hours_later),
    "purge": Case(expired, purge, int, purge, purge),
}


async def played(world: World, act: Step) -> Any:
    """The result, or the refusal."""
    try:
        result = await world.script.play(lambda: act(world))
    except Refusal as refusal:
        return refusal
    return result.refusal if isinstance(result, ErrorPage) else result


async def seen(world: World) -> dict[str, object]:
    """What is left: nothing in it differs from run to run."""
    head = await world.accounts_table.under(ACME, "")
    status = [Connection.read(row).status for row in head if row.key == Connection.key(ACME)]
    kinds = [row.key.row.partition(":")[0] for row in await rows(world) if '"takenBy":null' in row.document]
    return {
        "rows of the account": sorted(row.key.row.partition(":")[0] for row in head),
        "connection": status,
        "sessions": len(await world.sessions.find(SID)),
        "flows that nobody has taken": {*kinds} - {"sign-in-state", "code"},
        "families": await rows(world, "family:") != [],
        "names of families": await rows(world, "family-of:") != [],
        "duties": len(world.duties_table),
        "heard": {url for url, _ in world.doorbells.heard},
    }
