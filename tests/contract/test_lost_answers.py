"""Sign-ins over the adapter and Azurite, of whose requests one is lost, or its answer, or is carried twice.

`tests/unit/provider/test_disturbed_sign_ins.py` disturbs the calls of the product. Here it is the wire below the
adapter, which asks again by itself: nobody hears of it, and everything is done once.
"""

from collections.abc import AsyncIterator
from urllib.parse import parse_qs, urlsplit

import pytest

from local.processes import Azurite
from shared.adapters.tables.account import Account
from shared.adapters.tables.adapter import AzureTables
from shared.kernel.names import EmailAddress
from shared.ports.entra import Answer
from shared.provider.authorization_response import RedirectToApplication, RedirectToEntra, Remembering
from shared.provider.errors import OAuthError
from shared.provider.sessions import Sessions
from shared.provider.token import TokenResponse
from shared.trail.trail import AuditRecord
from shared.wiring import TABLE_NAMES
from tests.support.disturbances import Disturbance
from tests.support.lossy import LossyWire, lossy_wire
from tests.unit.provider.world import ACME, CALLBACK, UNITE, VERIFIER, Provider, challenge_of, identity, sent


@pytest.fixture(scope="module")
async def wire(store: Azurite) -> AsyncIterator[LossyWire]:
    store.create_tables(TABLE_NAMES)
    async with lossy_wire(store.port) as wire:
        yield wire


@pytest.fixture(scope="module")
async def provider(store: Azurite, wire: LossyWire) -> AsyncIterator[Provider]:
    """The product on tables in Azurite, with an account that is connected and an application that renews tokens."""
    account = Account.from_connection_string(store.connection_string.replace(f":{store.port}/", f":{wire.port}/"))
    tables = AzureTables(account)
    provider = Provider(
        applications=tables.table("applications"),
        domains_table=tables.table("domains"),
        flows_table=tables.table("flows"),
        duties_table=tables.table("duties"),
        accounts_table=tables.table("accounts"),
    )
    await provider.switch_on()
    await provider.add(refresh_tokens=True)
    yield provider
    await tables.close()


async def sign_in(provider: Provider, email: EmailAddress, oid: str) -> str:
    """Somebody's first sign-in, tokens for its code, and the renewal of them; the code."""
    asked = {"client_id": UNITE, "redirect_uri": CALLBACK, "response_type": "code", "scope": "openid offline_access"}
    asked |= {"code_challenge": challenge_of(VERIFIER), "code_challenge_method": "S256", "login_hint": email.address}
    away = await provider.sign_in.authorize(sent(**asked))
    assert isinstance(away, RedirectToEntra)
    (state,) = parse_qs(urlsplit(away.url).query)["state"]
    claims = identity(oid=oid, sid=f"sid-{oid}", preferred_username=email.address)
    answer = Answer(state=state, code=provider.entra.sign_in(away.url, claims))
    back = await provider.sign_in.callback(answer, away.binding.secret)
    assert isinstance(back, Remembering)
    assert isinstance(back.response, RedirectToApplication), back.response
    (code,) = parse_qs(urlsplit(back.response.url).query)["code"]
    tokens = await redeemed(provider, code)
    assert tokens.refresh_token is not None
    await provider.redeem(sent(client_id=UNITE, grant_type="refresh_token", refresh_token=tokens.refresh_token))
    return code


async def redeemed(provider: Provider, code: str) -> TokenResponse:
    form = {"client_id": UNITE, "grant_type": "authorization_code", "redirect_uri": CALLBACK, "code": code}
    return await provider.redeem(sent(**form, code_verifier=VERIFIER))


async def events(provider: Provider) -> list[str]:
    """What the trail of the account says."""
    return [AuditRecord.read(row).action for row in await provider.accounts_table.under(ACME, "audit:")]


@pytest.mark.parametrize("how", [Disturbance.NOT_MADE, Disturbance.LOST, Disturbance.REPEATED], ids=str.lower)
async def test_whatever_happens_on_the_wire_a_sign_in_is_done_once(
    provider: Provider, wire: LossyWire, how: Disturbance
) -> None:
    before = (await events(provider)).count("link.made")
    at, made, signed_in = 0, 1, 0
    while at < made:
        at, signed_in, name = at + 1, signed_in + 1, f"{how.name.lower()}-{at}"
        wire.disturb(at, how)
        code = await sign_in(provider, EmailAddress(f"{name}@contoso.example"), name)
        made = wire.made
        wire.disturb(0, None)
        assert len(await provider.sessions.find(Sessions.name_of(f"sid-{name}"))) == 1
        with pytest.raises(OAuthError, match="was already used"):
            await redeemed(provider, code)
    assert signed_in > 20, "so many requests does it make"
    assert (await events(provider)).count("link.made") - before == signed_in
