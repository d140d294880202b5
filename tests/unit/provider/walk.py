"""A person's way through a sign-in, and a client's with what comes of it: each step once, for every test."""

from urllib.parse import parse_qs, urlsplit

from shared.ports.entra import Answer
from shared.ports.table import Row
from shared.provider.authorization_response import (
    AuthorizationResponse,
    RedirectToApplication,
    RedirectToEntra,
    Remembering,
)
from shared.provider.family import Family
from shared.provider.token import TokenResponse
from tests.unit.provider.world import ALICE, CALLBACK, UNITE, VERIFIER, Provider, challenge_of, identity, sent

ASKED = {
    "client_id": UNITE,
    "redirect_uri": CALLBACK,
    "response_type": "code",
    "scope": "openid email profile offline_access",
    "code_challenge": challenge_of(VERIFIER),
    "code_challenge_method": "S256",
    "nonce": "a-nonce",
    "login_hint": ALICE.address,
}
"""What `unite` asks for Alice. She may have tokens that are renewed."""

ENTRA_SID = "sid-of-entra"


async def left(provider: Provider, **asked: str) -> RedirectToEntra:
    """The way to Microsoft."""
    away = await provider.sign_in.authorize(sent(**{**ASKED, **asked}))
    assert isinstance(away, RedirectToEntra)
    return away


def answer_to(provider: Provider, away: RedirectToEntra, **claims: str | None) -> Answer:
    """What Microsoft answers once Alice, or whom the claims make of her, has signed in."""
    (state,) = parse_qs(urlsplit(away.url).query)["state"]
    return Answer(state=state, code=provider.entra.sign_in(away.url, identity(**{"sid": ENTRA_SID} | claims)))


async def back(provider: Provider, away: RedirectToEntra, answer: Answer) -> AuthorizationResponse:
    """What the browser gets that brings the answer."""
    response = await provider.sign_in.callback(answer, away.binding.secret)
    return response.response if isinstance(response, Remembering) else response


def code_in(response: object) -> str:
    """The code that an application gets."""
    assert isinstance(response, RedirectToApplication), response
    (handle,) = parse_qs(urlsplit(response.url).query)["code"]
    return handle


async def signed_in(provider: Provider, **claims: str | None) -> str:
    """The code with which Alice comes back."""
    away = await left(provider)
    return code_in(await back(provider, away, answer_to(provider, away, **claims)))


async def redeemed(provider: Provider, handle: str, **changes: str) -> TokenResponse:
    """The tokens for a code."""
    form = {"client_id": UNITE, "grant_type": "authorization_code", "redirect_uri": CALLBACK, "code": handle}
    return await provider.redeem(sent(**{**form, "code_verifier": VERIFIER, **changes}))


async def renewed(provider: Provider, refresh_token: str | None) -> TokenResponse:
    """The tokens for a refresh token."""
    return await provider.redeem(sent(client_id=UNITE, grant_type="refresh_token", refresh_token=refresh_token))


async def every_row(provider: Provider, kind: str = "") -> list[Row]:
    """The rows of flows of a kind."""
    return [row async for row in provider.flows_table.partitions_before("0") if row.key.row.startswith(kind)]


async def rows(provider: Provider, kind: str = "") -> list[Row]:
    """The same, but what is left of a family that has ended."""
    found = await every_row(provider, kind)
    return [row for row in found if not (row.key.row.startswith("family:") and Family.read(row).has_ended)]
