"""The access tokens port: the fake and the control panel's issuer (as local Entra plays it) keep one promise."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest

from local.entra.forgery import sign
from local.entra.server import LocalEntra
from local.processes import free_port
from shared.adapters.control_panel_tokens import ControlPanelTokens
from shared.adapters.web import Web
from shared.kernel.refusals import NotAuthenticated, Unavailable
from shared.ports.access_tokens import AccessTokens, VerifiedAccess
from tests.support.fakes import FakeAccessTokens, FixedClock

HOUR = timedelta(hours=1)
SAM = VerifiedAccess(sub="sam", name="Sam", roles=("SecurityManager",), account_id="acme")
OLGA = VerifiedAccess(sub="olga", roles=("Operator",))


@dataclass(frozen=True)
class World:
    """Access tokens, who issues them, and the same with an issuer that is silent."""

    tokens: AccessTokens
    issue: Callable[[VerifiedAccess, timedelta], str]
    of_silent_issuer: AccessTokens


def fake_world() -> World:
    tokens, silent = FakeAccessTokens(FixedClock()), FakeAccessTokens(FixedClock())
    silent.available = False
    return World(tokens, tokens.issue, silent)


def real_world(entra: LocalEntra, web: Web) -> World:
    issuer = f"{entra.http}/control-panel"

    def issue(access: VerifiedAccess, lifetime: timedelta) -> str:
        now = entra.cloud.now().timestamp()
        claims = access.model_dump(exclude_none=True, mode="json") | {"iss": issuer, "aud": "azure-sso"}
        times = {"iat": now - 2 * HOUR.total_seconds(), "exp": now + lifetime.total_seconds()}
        return sign(entra.cloud.control_panel_keys, claims | times, None)

    clock = FixedClock(entra.cloud.now())
    nowhere = f"http://localhost:{free_port()}/control-panel"
    return World(
        ControlPanelTokens(issuer=issuer, audience="azure-sso", web=web, clock=clock),
        issue,
        ControlPanelTokens(issuer=nowhere, audience="azure-sso", web=web, clock=clock),
    )


@pytest.fixture(params=["fake", "control panel"])
def world(request: pytest.FixtureRequest) -> World:
    if request.param == "fake":
        return fake_world()
    return real_world(request.getfixturevalue("entra"), request.getfixturevalue("web"))


@pytest.mark.parametrize("access", [SAM, OLGA], ids=["manager", "operator"])
async def test_a_token_that_was_issued_tells_whose_it_is(world: World, access: VerifiedAccess) -> None:
    assert await world.tokens.verify(world.issue(access, HOUR)) == access


async def test_a_token_serves_as_often_as_it_is_shown(world: World) -> None:
    token = world.issue(SAM, HOUR)
    assert await world.tokens.verify(token) == await world.tokens.verify(token)


@pytest.mark.parametrize("token", ["", "made-up", "a.b.c", "é", "x" * 100_000, "eyJhbGciOiJub25lIn0.e30."])
async def test_a_token_that_was_not_issued_is_nobodys(world: World, token: str) -> None:
    with pytest.raises(NotAuthenticated):
        await world.tokens.verify(token)


async def test_a_token_expires(world: World) -> None:
    with pytest.raises(NotAuthenticated):
        await world.tokens.verify(world.issue(SAM, -HOUR))


async def test_a_silent_issuer_is_nobodys_fault(world: World) -> None:
    with pytest.raises(Unavailable):
        await world.of_silent_issuer.verify(world.issue(SAM, HOUR))
    with pytest.raises(Unavailable):
        await world.of_silent_issuer.probe()
    await world.tokens.probe()
