"""Signing keys of a day: certified by the vault, sealed, rotated without notice, and safe from the table."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlencode

import jwt
import pytest
from azure.functions import HttpRequest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from functions.oauth import oauth_routes
from shared.adapters.envelope_keys import LASTS, SIGNS_UNTIL, EnvelopeKeys, SealedKey, certified
from shared.adapters.jose import Jose
from shared.adapters.key_vault import KeyVaultKeys
from shared.adapters.key_vault_wrapping import KeyVaultWrapping
from shared.adapters.rsa_keys import jwk_of, pkcs8, sign
from shared.kernel.encoding import base64url
from shared.kernel.refusals import NotAuthenticated, Unavailable
from shared.ports.signing_keys import KNOWN_FOR, PUBLISHED_AHEAD, TOKENS_LIVE_FOR, Jwk
from shared.ports.table import Insert, Key, Put, Remove
from tests.support.fakes import FixedClock, InMemoryTable
from tests.support.invocation import Invocation
from tests.support.vault import KEY_NAME, WRAPPING_NAME, Vault, running_vault
from tests.unit.provider.world import CALLBACK, UNITE, VERIFIER, Provider

FRESH = timedelta(minutes=5)
ISSUER = "https://sso.example"
ELLIPTIC = ec.generate_private_key(ec.SECP256R1()).private_bytes(
    serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
)

ANOTHER = pkcs8(rsa.generate_private_key(65537, 2048))


@dataclass
class Instance:
    """One instance of the service, with its own connections."""

    vault_keys: KeyVaultKeys
    wrapping: KeyVaultWrapping
    keys: EnvelopeKeys
    jose: Jose

    async def kid(self) -> str:
        return (await self.keys.signer()).kid

    async def token(self) -> str:
        return await self.jose.sign("JWT", {"iss": ISSUER, "aud": "unite", "sub": "somebody", "exp": 2**40, "iat": 0})

    async def close(self) -> None:
        await asyncio.gather(self.vault_keys.close(), self.wrapping.close())


class Stage:
    """A vault that has signed for a year, a table, and instances."""

    def __init__(self, clock: FixedClock, vault: Vault) -> None:
        self.clock, self.vault, self.table = clock, vault, InMemoryTable()
        vault.add(ago=timedelta(days=365))
        self.instances: list[Instance] = []

    def start(self) -> Instance:
        where = {"vault_url": self.vault.url, "credential": self.vault.identity, "transport": self.vault.transport}
        vault_keys = KeyVaultKeys(**where, key_name=KEY_NAME, clock=self.clock)
        wrapping = KeyVaultWrapping(**where, key_name=WRAPPING_NAME)
        keys = EnvelopeKeys(vault=vault_keys, wrapping=wrapping, table=self.table, clock=self.clock)
        instance = Instance(vault_keys, wrapping, keys, Jose(keys=keys, issuer=ISSUER, clock=self.clock))
        self.instances.append(instance)
        return instance

    async def vault_kid(self) -> str:
        return (await self.instances[0].vault_keys.published())[0].kid

    async def rows(self) -> list[Key]:
        return [row.key for row in await self.table.under("signing", "day:")]


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    clock = FixedClock()
    async with running_vault(clock) as vault:
        stage = Stage(clock, vault)
        yield stage
        await asyncio.gather(*(each.close() for each in stage.instances))


async def verified(instance: Instance, token: str) -> bool:
    """Whether an instance takes a token for one of ours."""
    return (await instance.jose.verify(token, "JWT", "unite")).sub == "somebody"


async def in_force(stage: Stage) -> Instance:
    """An instance that signs by a key of its own."""
    instance = stage.start()
    await instance.kid()
    stage.clock.advance(PUBLISHED_AHEAD)
    assert await instance.kid() != await stage.vault_kid()
    return instance


async def test_the_vault_signs_until_everybody_knows_the_first_key(stage: Stage) -> None:
    one = stage.start()
    published = await one.keys.published()
    assert published[0].kid == await one.kid() == await stage.vault_kid()
    assert len(published) == 2
    stage.clock.advance(PUBLISHED_AHEAD - timedelta(seconds=1))
    assert await one.kid() == await stage.vault_kid()
    stage.clock.advance(timedelta(seconds=1))
    assert await one.kid() == published[1].kid == (await one.keys.published())[0].kid
    assert await stage.vault_kid() in {each.kid for each in await one.keys.published()}


async def test_a_key_of_before_that_somebody_puts_back_signs_and_verifies_nothing(stage: Stage) -> None:
    """Somebody has seen its private half, writes to the table, and takes away every key that was made since."""
    one = await in_force(stage)
    stolen, token = await one.kid(), await one.token()
    (row,) = [row for row in await stage.table.under("signing", "day:") if stolen == SealedKey.read(row).jwk.kid]
    for _ in range(15):
        stage.clock.advance(timedelta(days=1))
        await one.kid()
    for each in await stage.table.under("signing", "day:"):
        await stage.table.write(Remove(each))
    await stage.table.write(Insert(row.key, row.document))
    another = stage.start()
    assert await another.kid() == await stage.vault_kid()
    assert stolen not in {each.kid for each in await another.keys.published()}
    with pytest.raises(NotAuthenticated):
        await another.jose.verify(token, "JWT", "unite")


async def test_a_key_without_a_successor_signs_for_three_days_and_verifies_for_a_week_more(stage: Stage) -> None:
    """The vault wraps no other one; it signs by its own key then, which everybody knows."""
    one, moment = stage.start(), timedelta(seconds=1)
    await one.kid()
    stage.vault.permissions.discard("wrapKey")
    stage.clock.advance(SIGNS_UNTIL - moment)
    own, token = await one.kid(), await one.token()
    assert own != await stage.vault_kid()
    stage.clock.advance(moment)
    assert await one.kid() == await stage.vault_kid() == (await one.keys.published())[0].kid
    stage.clock.advance(TOKENS_LIVE_FOR - moment)
    assert await verified(one, token)
    stage.clock.advance(moment)
    with pytest.raises(NotAuthenticated):
        await verified(one, token)


async def test_a_public_half_is_made_once_and_not_for_each_token(stage: Stage) -> None:
    one = await in_force(stage)
    for first, again in zip(await one.keys.published(), await one.keys.published(), strict=True):
        assert first is again


async def test_many_tokens_cost_the_vault_one_unwrapping(stage: Stage) -> None:
    one = await in_force(stage)
    stage.vault.requests.clear()
    tokens = [await one.token() for _ in range(20)]
    assert all([await verified(one, each) for each in tokens])
    assert "sign" not in stage.vault.requests
    assert stage.vault.requests.count("unwrapKey") <= 1


async def test_two_weeks_of_daily_keys_loses_nobody(stage: Stage) -> None:
    """Who keeps a JWKS for a day, and a token for a week, verifies all that any instance signs."""
    instances = [stage.start(), stage.start()]
    remembered: dict[str, Jwk] = {}
    read_at, tokens = stage.clock.passed - timedelta(days=2), []
    for hour in range(0, 24 * 15, 6):
        if hour == 24 * 3:
            stage.vault.add()
        if hour % 48 == 42:
            instances[1] = stage.start()
        signing = instances[hour // 6 % 2]
        if stage.clock.passed - read_at >= timedelta(hours=24):
            remembered = {each.kid: each for each in await instances[(hour // 6 + 1) % 2].keys.published()}
            read_at = stage.clock.passed
        token = await signing.token()
        assert jwt.get_unverified_header(token)["kid"] in remembered
        tokens.append((stage.clock.passed, token))
        if hour % 72 == 0:
            tokens = [(at, each) for at, each in tokens if stage.clock.passed - at < TOKENS_LIVE_FOR]
            assert all([await verified(instances[1], each) for _, each in tokens])
        stage.clock.advance(timedelta(hours=6))
    assert len(await stage.rows()) <= 12


async def test_of_instances_that_start_together_one_makes_the_key_of_the_day(stage: Stage) -> None:
    instances = [stage.start() for _ in range(4)]
    await asyncio.gather(*(each.kid() for each in instances))
    assert len(await stage.rows()) == 1
    stage.clock.advance(PUBLISHED_AHEAD)
    assert len({await each.kid() for each in instances}) == 1
    assert all([await verified(each, await instances[0].token()) for each in instances])


async def test_an_instance_that_starts_while_the_vault_is_out_signs_once_it_answers(stage: Stage) -> None:
    await in_force(stage)
    late = stage.start()
    stage.vault.status = 503
    for ask in (late.token, late.keys.published, late.keys.probe):
        with pytest.raises(Unavailable):
            await ask()
    stage.vault.status = None
    await late.keys.probe()
    assert await verified(late, await late.token())


async def test_the_token_endpoint_of_such_an_instance_leaves_the_code_good(stage: Stage) -> None:
    await in_force(stage)
    stage.vault.status = 503
    provider = Provider(clock=stage.clock, signing_keys=stage.start().keys)
    await provider.add()
    form = {"grant_type": "authorization_code", "code": await provider.issue()}
    form |= {"client_id": UNITE, "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
    redeem = oauth_routes(provider.services).answer("redeem_code")

    async def redeemed() -> tuple[int, dict[str, str]]:
        body = urlencode(form).encode()
        headers = {"content-type": "application/x-www-form-urlencoded", "content-length": str(len(body))}
        answer = await redeem(HttpRequest("POST", "/oauth2/token", headers=headers, body=body), Invocation())
        return answer.status_code, json.loads(answer.get_body())

    for _ in range(2):
        status, answer = await redeemed()
        assert (status, answer["error"]) == (503, "temporarily_unavailable")
    stage.vault.status = None
    status, answer = await redeemed()
    assert status == 200
    signed_by = jwt.get_unverified_header(answer["id_token"])["kid"]
    assert (signed_by != await stage.vault_kid(), signed_by) == (True, await stage.instances[0].kid())


async def test_an_instance_that_signs_goes_on_while_the_vault_is_out(stage: Stage) -> None:
    one = await in_force(stage)
    await one.token()
    stage.vault.status = 503
    stage.clock.advance(KNOWN_FOR - timedelta(minutes=1))
    assert await verified(one, await one.token())
    stage.clock.advance(timedelta(minutes=2))
    with pytest.raises(Unavailable):
        await one.token()


async def test_a_key_that_cannot_be_made_today_is_made_a_little_later_and_the_one_before_signs(stage: Stage) -> None:
    one = await in_force(stage)
    await one.token()
    stage.clock.advance(LASTS)
    stage.vault.permissions -= {"sign"}
    assert await verified(one, await one.token())
    assert len(await stage.rows()) == 2
    stage.vault.permissions |= {"sign"}
    stage.clock.advance(timedelta(seconds=30))
    await one.token()
    assert len(await stage.rows()) == 3


async def test_a_table_that_does_not_respond_is_not_missed_for_an_hour(stage: Stage) -> None:
    one = await in_force(stage)
    stage.table.available = False
    stage.clock.advance(KNOWN_FOR - timedelta(minutes=1))
    assert await verified(one, await one.token())
    stage.clock.advance(timedelta(minutes=2))
    with pytest.raises(Unavailable):
        await one.token()


async def test_a_row_that_is_removed_stops_signing_in_minutes(stage: Stage) -> None:
    """What operators do when a key is in the wrong hands; the vault signs meanwhile."""
    one = await in_force(stage)
    stolen = await one.token()
    for row in await stage.table.under("signing", "day:"):
        await stage.table.write(Remove(row))
    stage.clock.advance(FRESH)
    assert await one.kid() == await stage.vault_kid()
    with pytest.raises(Exception, match="did not issue"):
        await verified(one, stolen)


async def test_a_version_of_the_vault_that_is_disabled_takes_what_it_certified_with_it(stage: Stage) -> None:
    one = await in_force(stage)
    stolen = await one.token()
    stage.vault.add(ago=timedelta(days=2))
    stage.vault.versions[0].enabled = False
    stage.clock.advance(2 * FRESH)
    await one.kid()
    with pytest.raises(Exception, match="did not issue"):
        await verified(one, stolen)


# -- whoever writes to the table ---------------------------------------------------------------------------------------


async def forged(stage: Stage, **changes: str) -> SealedKey:
    """A row that an attacker makes who has the table, and the public half of the wrapping key, but cannot sign."""
    private = rsa.generate_private_key(65537, 2048)
    jwk, made_at = jwk_of(private), stage.clock.now() - 2 * PUBLISHED_AHEAD
    content, aes_key, nonce = certified(jwk, made_at), AESGCM.generate_key(256), b"n" * 12
    wrapped = await stage.instances[0].wrapping.wrap(aes_key)
    fields = {
        "n": jwk.n,
        "e": jwk.e,
        "certified_by": await stage.vault_kid(),
        "certificate": base64url(await sign(private, content)),
        "wrapped_by": wrapped.version,
        "wrapped_key": base64url(wrapped.octets),
        "nonce": base64url(nonce),
        "sealed": base64url(AESGCM(aes_key).encrypt(nonce, pkcs8(private), content)),
    }
    return SealedKey(created_at=made_at, **fields | changes)


@pytest.mark.parametrize(
    "changes",
    [{}, {"certified_by": "nobody"}, {"certificate": ""}, {"certificate": "not base64!"}, {"n": "AQAB"}, {"e": "!"}],
    ids=str,
)
async def test_a_key_that_the_vault_has_not_certified_is_neither_published_nor_used(
    stage: Stage, changes: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    one = stage.start()
    row = await forged(stage, **changes)
    await stage.table.write(Insert(Key("signing", "day:2020-01-01"), row.document()))
    kids = {each.kid for each in await one.keys.published()}
    assert kids == {await stage.vault_kid(), (await one.keys.published())[1].kid}
    assert row.n not in {each.n for each in await one.keys.published()}
    assert await one.kid() == await stage.vault_kid()
    assert "signing_key_refused row=day:2020-01-01" in caplog.text


async def test_a_row_of_today_that_is_not_ours_makes_nobody_make_keys_all_the_time(stage: Stage) -> None:
    one = stage.start()
    await stage.table.write(Insert(Key("signing", f"day:{stage.clock.now():%Y-%m-%d}"), "{}"))
    stage.vault.requests.clear()
    for _ in range(3):
        assert await one.kid() == await stage.vault_kid()
    assert "sign" not in stage.vault.requests


@pytest.mark.parametrize("field", ["sealed", "nonce", "created_at"])
async def test_a_key_whose_row_was_changed_signs_nothing(stage: Stage, field: str) -> None:
    await in_force(stage)
    (row, *_) = await stage.table.under("signing", "day:")
    key = SealedKey.read(row)
    other = await forged(stage)
    await stage.table.write(Put(row.key, key.model_copy(update={field: getattr(other, field)}).document()))
    late = stage.start()
    if field == "created_at":
        assert await late.kid() == await stage.vault_kid()
        return
    with pytest.raises(Unavailable, match="damaged"):
        await late.token()


@pytest.mark.parametrize(
    "content", [b"no key at all", ELLIPTIC, ANOTHER], ids=["noise", "an elliptic key", "another's"]
)
async def test_what_is_sealed_is_the_private_half_of_the_certified_key(stage: Stage, content: bytes) -> None:
    """Whoever writes to the table can seal anything. Tokens that nobody can verify would alert nobody."""
    await in_force(stage)
    (row, *_) = await stage.table.under("signing", "day:")
    key = SealedKey.read(row)
    aes_key, nonce = AESGCM.generate_key(256), b"n" * 12
    wrapped = await stage.instances[0].wrapping.wrap(aes_key)
    sealed = AESGCM(aes_key).encrypt(nonce, content, certified(key.jwk, key.created_at))
    swapped = {
        "wrapped_by": wrapped.version,
        "wrapped_key": base64url(wrapped.octets),
        "nonce": base64url(nonce),
        "sealed": base64url(sealed),
    }
    await stage.table.write(Put(row.key, key.model_copy(update=swapped).document()))
    with pytest.raises(Unavailable, match="must remove its row"):
        await stage.start().token()
