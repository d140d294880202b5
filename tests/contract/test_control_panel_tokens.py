"""The control panel's access tokens: what a forged one is worth, and what an issuer must say of itself."""

import base64
import json
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from typing import Any, get_args

import pytest

from local.entra.forgery import Forgery, sign
from local.entra.server import LocalEntra
from shared.adapters.control_panel_tokens import ControlPanelTokens
from shared.adapters.jwt_verifier import LEEWAY
from shared.adapters.web import Web
from shared.kernel.refusals import NotAuthenticated, Unavailable
from tests.support.fakes import FixedClock
from tests.support.wire import CannedWeb, canned_web

AUDIENCE = "azure-sso"


class Panel:
    """The service's view of the control panel, and the control panel itself."""

    def __init__(self, entra: LocalEntra, web: Web) -> None:
        self.entra = entra
        self.issuer = f"{entra.http}/control-panel"
        self.clock = FixedClock(entra.cloud.now())
        self.tokens = ControlPanelTokens(issuer=self.issuer, audience=AUDIENCE, web=web, clock=self.clock)

    def token(self, forgery: Forgery | None = None, **changes: Any) -> str:
        """Sam's token with claims changed; None takes one out."""
        now = self.clock.now().timestamp()
        claims = {"iss": self.issuer, "aud": AUDIENCE, "iat": now, "nbf": now, "exp": now + 600, "sub": "sam"} | changes
        kept = {name: value for name, value in claims.items() if value is not None}
        return sign(self.entra.cloud.control_panel_keys, kept, forgery)


@pytest.fixture
def panel(entra: LocalEntra, web: Web) -> Panel:
    return Panel(entra, web)


async def test_an_honest_token_is_believed(panel: Panel) -> None:
    assert (await panel.tokens.verify(panel.token())).sub == "sam"
    assert (await panel.tokens.verify(panel.token(aud=[AUDIENCE, "another"]))).sub == "sam"
    assert (await panel.tokens.verify(panel.token(sub="ü" * 255))).sub == "ü" * 255


@pytest.mark.parametrize("name", [5, ["Sam"], {"first": "Sam"}, True])
async def test_a_malformed_name_keeps_nobody_out(panel: Panel, name: object) -> None:
    found = await panel.tokens.verify(panel.token(name=name))
    assert (found.sub, found.name) == ("sam", None)


@pytest.mark.parametrize("forgery", get_args(Forgery.__value__))
async def test_a_forged_token_is_not_believed(panel: Panel, forgery: Forgery) -> None:
    with pytest.raises(NotAuthenticated):
        await panel.tokens.verify(panel.token(forgery))


@pytest.mark.parametrize("claim", ["iss", "aud", "exp", "iat", "sub"])
async def test_a_token_that_lacks_a_claim_is_not_believed(panel: Panel, claim: str) -> None:
    with pytest.raises(NotAuthenticated):
        await panel.tokens.verify(panel.token(**{claim: None}))


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "http://localhost/control-panel"},
        {"aud": "another"},
        {"aud": []},
        {"nbf": 4_000_000_000},
        {"iat": 4_000_000_000},
        {"exp": "soon"},
        {"sub": 5},
        {"sub": ""},
        {"sub": "s" * 256},
        {"sub": "sam\n2026-01-01 application.put application=evil by=olga"},
        {"sub": "sam\r"},
        {"sub": "sam\x1b[2K"},
        {"sub": "sam\u2028"},
        {"sub": "sam\u202e"},
        {"roles": "Operator"},
        {"roles": [1]},
        {"account_id": 7},
    ],
    ids=str,
)
async def test_a_token_that_says_something_else_is_not_believed(panel: Panel, changes: dict[str, Any]) -> None:
    with pytest.raises(NotAuthenticated):
        await panel.tokens.verify(panel.token(**changes))


async def test_an_expired_token_is_told_apart(panel: Panel) -> None:
    with pytest.raises(NotAuthenticated, match="has expired"):
        await panel.tokens.verify(panel.token(exp=1_000_000_000))


async def test_a_token_lives_and_ends_by_our_own_clock(panel: Panel) -> None:
    token, moment = panel.token(), timedelta(seconds=1)
    panel.clock.advance(timedelta(minutes=10) + LEEWAY - moment)
    assert (await panel.tokens.verify(token)).sub == "sam"
    panel.clock.advance(moment)
    with pytest.raises(NotAuthenticated, match="has expired"):
        await panel.tokens.verify(token)
    panel.clock.advance(-timedelta(minutes=10) - 2 * LEEWAY)
    assert (await panel.tokens.verify(token)).sub == "sam"
    panel.clock.advance(-moment)
    with pytest.raises(NotAuthenticated, match="was not issued by"):
        await panel.tokens.verify(token)


async def test_a_token_of_entra_is_not_the_control_panels(panel: Panel) -> None:
    now = panel.entra.cloud.now().timestamp()
    claims = {"iss": panel.issuer, "aud": AUDIENCE, "iat": now, "exp": now + 600, "sub": "sam", "roles": ["Operator"]}
    with pytest.raises(NotAuthenticated):
        await panel.tokens.verify(sign(panel.entra.cloud.keys, claims, None))


@pytest.mark.parametrize("header", [{}, {"kid": None}, {"kid": 5}, {"kid": ["a"]}, {"kid": ""}, {"kid": "unknown"}])
async def test_a_token_must_name_a_key_that_there_is(panel: Panel, header: dict[str, object]) -> None:
    _, claims, signature = panel.token().split(".")
    named = json.dumps({"alg": "RS256", "typ": "JWT"} | header).encode()
    with pytest.raises(NotAuthenticated):
        await panel.tokens.verify(f"{base64.urlsafe_b64encode(named).decode().rstrip('=')}.{claims}.{signature}")


async def test_the_control_panels_keys_may_roll_over(panel: Panel) -> None:
    await panel.tokens.verify(panel.token())
    panel.entra.cloud.control_panel_keys.roll_over()
    assert (await panel.tokens.verify(panel.token())).sub == "sam"


@pytest.fixture
def server() -> Iterator[CannedWeb]:
    with canned_web() as canned:
        yield canned


@pytest.fixture
async def plain_web() -> AsyncIterator[Web]:
    opened = Web("The other side")
    yield opened
    await opened.close()


@pytest.mark.parametrize(
    "document", [[], None, {}, {"issuer": "https://panel.example"}, {"issuer": "{url}/"}, {"issuer": "{url}"}]
)
async def test_an_issuer_must_be_who_it_says(server: CannedWeb, plain_web: Web, document: object) -> None:
    """And it must say where its keys are: https://openid.net/specs/openid-connect-discovery-1_0.html#rfc.section.4.3."""
    if isinstance(document, dict):
        document = {name: value.format(url=server.url) for name, value in document.items()}
    server.documents["/.well-known/openid-configuration"] = document
    with pytest.raises(Unavailable):
        await ControlPanelTokens(issuer=server.url, audience=AUDIENCE, web=plain_web, clock=FixedClock()).probe()
