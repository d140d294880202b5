"""The signing keys port: the fake, files, and Azure Key Vault (as our stand-in plays it) keep one promise."""

import asyncio
import base64
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractContextManager, AsyncExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache, partial
from pathlib import Path
from typing import Protocol

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given
from hypothesis import strategies as st

from shared.adapters.key_vault import KeyVaultKeys
from shared.adapters.local_keys import LocalKeys
from shared.kernel.refusals import Unavailable
from shared.ports.signing_keys import (
    JWKS_CACHED_FOR,
    KNOWN_FOR,
    PUBLISHED_AHEAD,
    TOKENS_LIVE_FOR,
    Jwk,
    KeyVersion,
    SigningKeys,
    in_turn,
    published_versions,
)
from tests.support.fakes import NEW_YEAR, FixedClock
from tests.support.signing_keys import InMemorySigningKeys
from tests.support.vault import KEY_NAME, Vault, Version, running_vault

MOMENT = timedelta(seconds=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
TOO_FEW_BITS = 1024
SOON = timedelta(minutes=5)
"""When an instance has noticed a change."""


# -- the worlds ------------------------------------------------------------------------------------------------------


class World(Protocol):
    """A key with one version, a minute old, two instances of the service, and what happens around them."""

    clock: FixedClock
    keys: SigningKeys
    other: SigningKeys

    def add(self) -> None:
        """The key gets a new version."""

    def withdraw(self, kid: str) -> None:
        """A version is disabled or deleted."""

    def silence(self) -> AbstractContextManager[None]:
        """Nothing answers."""


class MemoryWorld:
    def __init__(self, clock: FixedClock) -> None:
        self.clock = clock
        self.keys = self.other = self._memory = InMemorySigningKeys(clock)
        self.add, self.withdraw = self._memory.add, self._memory.withdraw

    @contextmanager
    def silence(self) -> Iterator[None]:
        self._memory.available = False
        yield
        self._memory.available = True


class FileWorld:
    def __init__(self, clock: FixedClock, directory: Path) -> None:
        self.clock = clock
        self.keys, self.other = LocalKeys(directory, clock), LocalKeys(directory, clock)
        self._directory = directory
        directory.mkdir()
        self.add()

    def add(self) -> None:
        write_key(self._directory / f"{self.clock.now():%s}.pem", self.clock.now())

    def withdraw(self, kid: str) -> None:
        for file in self._directory.glob("*.pem"):
            if kid_of(file) == kid:
                file.unlink()

    @contextmanager
    def silence(self) -> Iterator[None]:
        aside = self._directory.rename(self._directory.with_suffix(".aside"))
        self._directory.touch()
        yield
        self._directory.unlink()
        aside.rename(self._directory)


class VaultWorld:
    def __init__(self, clock: FixedClock, vault: Vault) -> None:
        self.clock, self.vault = clock, vault
        self.keys, self.other = connected(vault, clock), connected(vault, clock)
        self.add()

    def add(self) -> None:
        self.vault.add()

    def withdraw(self, kid: str) -> None:
        version_of(self.vault, kid).enabled = False

    @contextmanager
    def silence(self) -> Iterator[None]:
        self.clock.advance(KNOWN_FOR)
        self.vault.status = 503
        yield
        self.vault.status = None

    async def close(self) -> None:
        await asyncio.gather(self.keys.close(), self.other.close())


def connected(vault: Vault, clock: FixedClock) -> KeyVaultKeys:
    return KeyVaultKeys(
        vault_url=vault.url, key_name=KEY_NAME, credential=vault.identity, clock=clock, transport=vault.transport
    )


def version_of(vault: Vault, kid: str) -> Version:
    def its_kid(version: Version) -> str:
        numbers = version.private.public_key().public_numbers()
        return Jwk.of(numbers.n, numbers.e).kid

    return next(version for version in vault.versions if its_kid(version) == kid)


def write_key(file: Path, made_at: datetime, private: object = None) -> None:
    private = private or rsa.generate_private_key(65537, 2048)
    pem = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    file.write_bytes(private.private_bytes(*pem))
    os.utime(file, (made_at.timestamp(), made_at.timestamp()))


def names_in(directory: Path) -> list[str]:
    return [file.name for file in directory.iterdir()]


def kid_of(file: Path) -> str:
    numbers = serialization.load_pem_private_key(file.read_bytes(), None).public_key().public_numbers()
    return Jwk.of(numbers.n, numbers.e).kid


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture
async def vault(clock: FixedClock) -> AsyncIterator[Vault]:
    async with running_vault(clock) as running:
        yield running


@pytest.fixture(params=["memory", "files", "vault"])
async def world(request: pytest.FixtureRequest, clock: FixedClock, tmp_path: Path) -> AsyncIterator[World]:
    async with AsyncExitStack() as open_things:
        match request.param:
            case "memory":
                made = MemoryWorld(clock)
            case "files":
                made = FileWorld(clock, tmp_path / "keys")
            case "vault":
                made = VaultWorld(clock, await open_things.enter_async_context(running_vault(clock)))
                open_things.push_async_callback(made.close)
        clock.advance(timedelta(minutes=1))
        yield made


# -- what relying parties do -----------------------------------------------------------------------------------------


async def token_of(keys: SigningKeys) -> str:
    """A compact JWS (RFC 7515, section 7.1), made as the provider makes one."""
    signer = await keys.signer()
    header = base64url(json.dumps({"alg": "RS256", "kid": signer.kid}).encode())
    signing_input = header + b"." + base64url(b'{"sub": "somebody"}')
    return (signing_input + b"." + base64url(await signer.sign(signing_input))).decode()


def base64url(octets: bytes) -> bytes:
    return base64.urlsafe_b64encode(octets).rstrip(b"=")


@cache
def parsed(jwks: tuple[Jwk, ...]) -> dict[str, jwt.PyJWK]:
    keys = jwt.PyJWKSet.from_dict({"keys": [jwk.model_dump() for jwk in jwks]})
    return {str(key.key_id): key for key in keys.keys}


def verified(token: str, jwks: tuple[Jwk, ...]) -> bool:
    key = parsed(jwks).get(kid(token))
    return key is not None and jwt.decode(token, key, algorithms=["RS256"]) == {"sub": "somebody"}


def kid(token: str) -> str:
    return str(jwt.get_unverified_header(token)["kid"])


def kids(jwks: tuple[Jwk, ...]) -> list[str]:
    return [jwk.kid for jwk in jwks]


@dataclass
class RelyingParty:
    """One that never reads the JWKS again before it must, not even for a `kid` that it does not know."""

    keys: SigningKeys
    read_at: datetime
    jwks: tuple[Jwk, ...] = field(default=())

    async def accepts(self, token: str, now: datetime) -> bool:
        if not self.jwks or now >= self.read_at + JWKS_CACHED_FOR:
            self.read_at, self.jwks = now, await self.keys.published()
        return verified(token, self.jwks)


# -- the promise of every one of them --------------------------------------------------------------------------------


async def test_the_first_version_signs_at_once(world: World) -> None:
    (jwk,) = await world.keys.published()

    token = await token_of(world.keys)

    assert jwk.kid == kid(token)
    assert verified(token, await world.other.published())


async def test_a_jwk_is_complete_and_holds_nothing_private(world: World) -> None:
    (jwk,) = await world.keys.published()

    members = jwk.model_dump()
    required = json.dumps({name: members[name] for name in ("e", "kty", "n")}, separators=(",", ":"))
    thumbprint = base64url(hashlib.sha256(required.encode()).digest()).decode()
    assert {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": thumbprint, "e": "AQAB", "n": jwk.n} == members
    assert jwt.PyJWK(members).key.key_size == 2048


async def test_a_new_version_is_published_before_it_signs(world: World) -> None:
    (old,) = kids(await world.keys.published())
    world.add()
    world.clock.advance(SOON)

    signing, *others = kids(await world.keys.published())

    assert old == signing == (await world.keys.signer()).kid
    (new,) = others
    world.clock.advance(PUBLISHED_AHEAD - SOON - MOMENT)
    assert old == (await world.keys.signer()).kid
    world.clock.advance(MOMENT)
    assert new == (await world.keys.signer()).kid
    assert [new, old] == kids(await world.keys.published())


async def test_an_old_version_is_published_while_something_lives_that_it_has_signed(world: World) -> None:
    (old,) = kids(await world.keys.published())
    world.add()
    world.clock.advance(PUBLISHED_AHEAD + TOKENS_LIVE_FOR - MOMENT)

    assert old in kids(await world.keys.published())
    world.clock.advance(MOMENT)
    assert old not in kids(await world.keys.published())
    assert old != (await world.keys.signer()).kid


async def test_rotation_loses_nobody(world: World) -> None:
    """Tokens of before still verify; new ones verify by everyone, also by who has cached the JWKS a moment ago."""
    step = 11 * HOUR  # not a divisor of a day, so that the parties read at different hours
    start = world.clock.now()
    parties = [RelyingParty(world.other, start - hours * HOUR) for hours in (0, 6, 12, 18, 23)]
    for party in parties:
        party.jwks = await party.keys.published()
    tokens: list[tuple[datetime, str]] = []
    for number in range(28):
        now = world.clock.now()
        if number in {5, 7}:
            world.add()
        tokens = [(made_at, token) for made_at, token in tokens if made_at > now - TOKENS_LIVE_FOR]
        tokens.append((now, await token_of(world.keys)))
        for party in parties:
            assert all([await party.accepts(token, now) for _, token in tokens]), f"at {now - start}"
        world.clock.advance(step)
    assert len(await world.keys.published()) == 1


async def test_many_sign_at_once(world: World) -> None:
    world.add()
    world.clock.advance(SOON)

    tokens = await asyncio.gather(*(token_of(keys) for keys in (world.keys, world.other) * 20))

    jwks = await world.keys.published()
    assert {jwks[0].kid} == set(map(kid, tokens))
    assert all(verified(token, jwks) for token in tokens)


async def test_a_version_that_is_taken_back_neither_signs_nor_is_published(world: World) -> None:
    (leaked,) = kids(await world.keys.published())
    world.add()
    world.clock.advance(SOON)
    assert len(await world.keys.published()) == 2

    world.withdraw(leaked)
    world.clock.advance(SOON)

    token = await token_of(world.keys)
    assert [kid(token)] == kids(await world.keys.published())
    assert leaked != kid(token)


async def test_who_takes_the_new_version_back_has_the_old_one_again(world: World) -> None:
    (old,) = kids(await world.keys.published())
    world.add()
    world.clock.advance(PUBLISHED_AHEAD)
    new = (await world.keys.signer()).kid

    world.withdraw(new)
    world.clock.advance(SOON)

    assert old != new
    assert [old] == kids(await world.keys.published())


async def test_keys_that_cannot_be_read_are_unavailable_until_they_can(world: World) -> None:
    jwks = await world.keys.published()
    signer = await world.keys.signer()

    with world.silence():
        for ask in (world.keys.published, world.keys.signer, world.keys.probe):
            with pytest.raises(Unavailable):
                await ask()

    await world.keys.probe()
    assert signer.kid == (await world.keys.signer()).kid
    assert jwks == await world.keys.published()


# -- the rule --------------------------------------------------------------------------------------------------------


def test_the_thumbprint_is_that_of_the_standard() -> None:
    """The example of RFC 7638, section 3.1."""
    n = (
        "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3okn"
        "jhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6"
        "qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8aw"
        "apJzKnqDKgw"
    )
    jwk = Jwk.of(int.from_bytes(base64.urlsafe_b64decode(n + "==")), 65537)

    assert ("NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs", n, "AQAB") == (jwk.kid, jwk.n, jwk.e)


def version(name: str, age: timedelta = timedelta(), **more: object) -> KeyVersion:
    return KeyVersion(name, NEW_YEAR - age, **more)


def turns(*versions: KeyVersion) -> str:
    return "".join(each.name for each in in_turn(versions, NEW_YEAR))


OLD = version("o", 90 * DAY)
SETTLED = version("s", PUBLISHED_AHEAD + TOKENS_LIVE_FOR)
CURRENT = version("c", PUBLISHED_AHEAD)
NEXT = version("n", PUBLISHED_AHEAD - MOMENT)
NEWEST = version("z")


def test_the_newest_that_all_know_signs_and_the_others_are_published_newest_first() -> None:
    assert turns(OLD, CURRENT, NEXT, NEWEST) == "czno"


def test_what_was_before_a_settled_version_is_no_longer_published() -> None:
    assert turns(OLD, SETTLED, CURRENT) == "cs"


def test_if_none_is_known_to_all_the_oldest_signs() -> None:
    assert turns(NEXT, NEWEST) == "nz"


def test_versions_of_the_same_second_have_one_order_everywhere() -> None:
    twins = version("a", PUBLISHED_AHEAD), CURRENT
    assert turns(*twins) == turns(*reversed(twins)) == "ca"


@pytest.mark.parametrize("fault", [{"enabled": False}, {"expires_at": NEW_YEAR}])
def test_a_disabled_or_expired_version_does_nothing(fault: dict[str, object]) -> None:
    assert turns(OLD, version("x", 9 * DAY, **fault)) == "o"


def test_a_version_whose_time_has_not_come_is_published_and_waits() -> None:
    assert (
        turns(
            OLD, version("l", 30 * DAY, not_before=NEW_YEAR + MOMENT), version("w", 20 * DAY, not_before=NEW_YEAR + DAY)
        )
        == "owl"
    )
    assert turns(OLD, version("b", 30 * DAY, not_before=NEW_YEAR, expires_at=NEW_YEAR + MOMENT)) == "bo"


def test_a_version_retires_its_elders_only_when_it_could_have_signed_for_long_enough() -> None:
    assert turns(OLD, version("b", 30 * DAY, not_before=NEW_YEAR - TOKENS_LIVE_FOR + MOMENT)) == "bo"
    assert turns(OLD, version("b", 30 * DAY, not_before=NEW_YEAR - TOKENS_LIVE_FOR)) == "b"


@pytest.mark.parametrize("versions", [[], [version("x", enabled=False)], [version("x", not_before=NEW_YEAR + MOMENT)]])
def test_without_a_version_that_may_sign_the_operators_are_told(versions: list[KeyVersion]) -> None:
    with pytest.raises(Unavailable, match="operators"):
        in_turn(versions, NEW_YEAR)


@given(st.lists(st.integers(0, 400), min_size=1, max_size=5, unique=True), st.integers(0, 700))
def test_whoever_signs_was_published_before_and_stays_so(created: list[int], hour: int) -> None:
    """For any rotation: hours stand for what lies between."""

    def at(hours: float) -> datetime:
        return NEW_YEAR + hours * HOUR

    def known(hours: float) -> list[KeyVersion]:
        return [KeyVersion(str(each), at(each)) for each in created if each <= hours]

    first, now = min(created), max(hour, min(created))
    signing = in_turn(known(now), at(now))[0]
    published = published_versions(known(now), at(now))
    before = max(first, now - PUBLISHED_AHEAD / HOUR)
    assert signing in published_versions(known(before), at(before))
    for ago in range(int(TOKENS_LIVE_FOR / HOUR)):
        if now - ago >= first:
            assert in_turn(known(now - ago), at(now - ago))[0] in published


# -- files -----------------------------------------------------------------------------------------------------------


async def test_only_its_owner_may_read_a_local_key(tmp_path: Path, clock: FixedClock) -> None:
    directory = tmp_path / "new" / "keys"

    await LocalKeys(directory, clock).probe()

    (file,) = directory.iterdir()
    assert (file.name, file.stat().st_mode & 0o777, directory.stat().st_mode & 0o777) == ("1.pem", 0o600, 0o700)


async def test_a_local_key_outlives_the_process(tmp_path: Path, clock: FixedClock) -> None:
    before = await LocalKeys(tmp_path, clock).published()

    assert before == await LocalKeys(tmp_path, clock).published()


async def test_instances_that_start_at_once_share_one_local_key(tmp_path: Path, clock: FixedClock) -> None:
    crowd = [LocalKeys(tmp_path, clock) for _ in range(8)]

    found = await asyncio.gather(*(keys.published() for keys in crowd))

    assert len(set(found)) == 1
    assert names_in(tmp_path) == ["1.pem"]


def test_processes_that_start_at_once_share_one_local_key(tmp_path: Path) -> None:
    program = (
        "import asyncio, sys; from pathlib import Path; from shared.adapters.local_keys import LocalKeys;"
        "from shared.adapters.system_clock import SystemClock; sys.stdin.read();"
        "print(asyncio.run(LocalKeys(Path(sys.argv[1]), SystemClock()).published())[0].kid)"
    )
    command = [sys.executable, "-c", program, tmp_path / "keys"]
    start = partial(subprocess.Popen, command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with start() as one, start() as another:
        for process in (one, another):
            process.stdin.close()
        answers = {process.stdout.read() for process in (one, another)}

    assert len(answers) == 1, answers
    assert {0} == {one.returncode, another.returncode}


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"not a key", id="no key"),
        pytest.param(ec.generate_private_key(ec.SECP256R1()), id="elliptic"),
        pytest.param(rsa.generate_private_key(65537, TOO_FEW_BITS), id="short"),
    ],
)
async def test_a_file_that_cannot_sign_is_named(tmp_path: Path, clock: FixedClock, content: object) -> None:
    if isinstance(content, bytes):
        (tmp_path / "bad.pem").write_bytes(content)
    else:
        write_key(tmp_path / "bad.pem", clock.now(), content)

    with pytest.raises(Unavailable, match=r"bad\.pem"):
        await LocalKeys(tmp_path, clock).signer()


async def test_a_file_with_a_password_is_named(tmp_path: Path, clock: FixedClock) -> None:
    locked = serialization.BestAvailableEncryption(b"secret")
    pem = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, locked
    (tmp_path / "locked.pem").write_bytes(rsa.generate_private_key(65537, 2048).private_bytes(*pem))

    with pytest.raises(Unavailable, match=r"locked\.pem"):
        await LocalKeys(tmp_path, clock).signer()


# -- the vault -------------------------------------------------------------------------------------------------------


@pytest.fixture
async def keys(vault: Vault, clock: FixedClock) -> AsyncIterator[KeyVaultKeys]:
    """One instance, and a vault in which the key has no version as yet."""
    opened = connected(vault, clock)
    yield opened
    await opened.close()


async def test_a_warm_signature_costs_one_request(vault: Vault, keys: KeyVaultKeys) -> None:
    vault.add()
    await token_of(keys)
    assert vault.requests == ["list", "get", "get", "sign"]

    vault.requests.clear()
    await token_of(keys)
    await keys.published()

    assert vault.requests == ["sign"]


async def test_callers_who_come_together_share_one_reading(vault: Vault, keys: KeyVaultKeys) -> None:
    vault.add()

    await asyncio.gather(*(keys.published() for _ in range(20)))

    assert vault.requests == ["list", "get"]


async def test_versions_are_read_again_after_five_minutes_and_their_keys_never(
    vault: Vault, keys: KeyVaultKeys, clock: FixedClock
) -> None:
    vault.add()
    await keys.published()
    vault.requests.clear()
    clock.advance(timedelta(minutes=5) - MOMENT)
    await keys.published()
    assert vault.requests == []

    clock.advance(MOMENT)
    await keys.published()

    assert vault.requests == ["list"]


@pytest.mark.parametrize("jump", [timedelta(hours=1), timedelta(hours=-1)], ids=["forward", "back"])
async def test_versions_age_as_before_when_the_machines_clock_is_set(
    vault: Vault, keys: KeyVaultKeys, clock: FixedClock, jump: timedelta
) -> None:
    vault.add(ago=2 * DAY)
    await keys.published()
    vault.requests.clear()
    clock.jump(jump)
    clock.advance(timedelta(minutes=5) - MOMENT)
    await keys.published()
    assert vault.requests == []
    clock.advance(MOMENT)
    await keys.published()
    assert vault.requests == ["list"]


async def test_a_long_history_is_listed_in_pages_and_only_what_is_published_is_read(
    vault: Vault, keys: KeyVaultKeys
) -> None:
    for years in (3, 2, 1):
        vault.add(ago=years * 365 * DAY)
    vault.add(ago=2 * DAY)
    vault.add()

    assert len(await keys.published()) == 3
    assert vault.requests == ["list", "list", "list", "get", "get", "get"]


async def test_tokens_are_asked_for_vaults_only(vault: Vault, keys: KeyVaultKeys) -> None:
    vault.add()

    await token_of(keys)

    assert {"https://vault.azure.net/.default"} == set(vault.identity.asked)


async def test_a_challenge_for_another_resource_gets_no_token(vault: Vault, keys: KeyVaultKeys) -> None:
    vault.add()
    vault.resource = "https://graph.microsoft.com"

    with pytest.raises(Unavailable):
        await keys.published()

    assert vault.identity.asked == []


@pytest.mark.parametrize("permission", ["list", "get", "sign"])
async def test_a_missing_permission_is_the_operators_to_mend(vault: Vault, keys: KeyVaultKeys, permission: str) -> None:
    vault.add()
    vault.permissions.remove(permission)

    with pytest.raises(Unavailable, match="operators"):
        await token_of(keys)

    vault.permissions.add(permission)
    assert verified(await token_of(keys), await keys.published())


async def test_a_key_that_is_not_there_is_the_operators_to_mend(keys: KeyVaultKeys) -> None:
    with pytest.raises(Unavailable, match="operators"):
        await keys.published()


async def test_a_vault_that_takes_no_token_is_the_operators_to_mend(vault: Vault, keys: KeyVaultKeys) -> None:
    vault.add()
    vault.identity.tokens = NoTokens()

    with pytest.raises(Unavailable, match="operators"):
        await keys.published()


class NoTokens(dict[str, str]):
    """Forgets each token that it is given."""

    def __setitem__(self, token: str, scope: str) -> None: ...


async def test_a_version_disabled_a_moment_ago_fails_one_signature_only(
    vault: Vault, keys: KeyVaultKeys, clock: FixedClock
) -> None:
    leaked = vault.add(ago=90 * DAY)
    vault.add()
    assert len(await keys.published()) == 2

    leaked.enabled = False
    with pytest.raises(Unavailable):
        await token_of(keys)

    assert verified(await token_of(keys), await keys.published())
    assert len(await keys.published()) == 1


async def test_a_version_that_expires_before_it_is_asked_to_sign_does_not(
    vault: Vault, keys: KeyVaultKeys, clock: FixedClock
) -> None:
    vault.add(ago=90 * DAY, exp=clock.now() + MOMENT)
    vault.add()
    signer = await keys.signer()

    clock.advance(MOMENT)
    with pytest.raises(Unavailable):
        await signer.sign(b"signing input")

    assert verified(await token_of(keys), await keys.published())


async def test_versions_that_cannot_sign_rs256_are_left_alone(
    vault: Vault, keys: KeyVaultKeys, clock: FixedClock
) -> None:
    vault.add(ago=90 * DAY, kty="RSA-HSM")
    vault.add(ago=80 * DAY, kty="EC")
    vault.add(ago=70 * DAY, bits=TOO_FEW_BITS)
    vault.add(ago=60 * DAY, enabled=False)
    vault.add(ago=50 * DAY, exp=clock.now())

    token = await token_of(keys)

    (jwk,) = await keys.published()
    assert jwk.kid == kid(token) == (await keys.signer()).kid
    assert version_of(vault, jwk.kid) is vault.versions[0]


async def test_a_version_with_a_date_signs_from_then_on(vault: Vault, keys: KeyVaultKeys, clock: FixedClock) -> None:
    vault.add(ago=90 * DAY)
    vault.add(ago=2 * DAY, nbf=clock.now() + HOUR)
    signing, waiting = kids(await keys.published())
    assert signing == kid(await token_of(keys))

    clock.advance(HOUR)

    assert waiting == kid(await token_of(keys))


async def test_a_vault_without_a_usable_version_is_asked_again_soon(
    vault: Vault, keys: KeyVaultKeys, clock: FixedClock
) -> None:
    vault.add(enabled=False)
    with pytest.raises(Unavailable, match="operators"):
        await keys.probe()
    vault.add()

    clock.advance(timedelta(seconds=30))

    assert len(await keys.published()) == 1


async def test_the_jwks_outlives_a_dead_vault_for_an_hour(vault: Vault, keys: KeyVaultKeys, clock: FixedClock) -> None:
    vault.add()
    jwks = await keys.published()
    await token_of(keys)
    await vault.stop()

    for minutes in (5, 30, 24):
        clock.advance(timedelta(minutes=minutes))
        assert jwks == await keys.published()
        with pytest.raises(Unavailable, match="Try again"):
            await token_of(keys)
    with pytest.raises(Unavailable):
        await keys.probe()
    clock.advance(timedelta(minutes=1))
    with pytest.raises(Unavailable):
        await keys.published()

    await vault.start()
    assert jwks == await keys.published()
    assert verified(await token_of(keys), jwks)


async def test_a_dead_vault_is_left_alone_for_a_while(vault: Vault, keys: KeyVaultKeys, clock: FixedClock) -> None:
    vault.add()
    await keys.published()
    clock.advance(SOON)
    vault.permissions.clear()
    await keys.published()
    vault.requests.clear()

    await keys.published()
    assert vault.requests == []
    clock.advance(timedelta(seconds=30))
    await keys.published()

    assert vault.requests == ["list"]


async def test_a_busy_vault_is_not_waited_for_as_long_as_it_says(vault: Vault, keys: KeyVaultKeys) -> None:
    vault.add()
    vault.status, vault.headers = 429, {"Retry-After": "60"}

    async with asyncio.timeout(8):
        with pytest.raises(Unavailable, match="Try again"):
            await keys.published()


async def test_a_slow_vault_is_given_up(vault: Vault, keys: KeyVaultKeys) -> None:
    vault.add()
    vault.delay = 20

    async with asyncio.timeout(8):
        with pytest.raises(Unavailable, match="Try again"):
            await keys.published()


async def test_a_vault_out_of_order_does_not_make_us_read_again(vault: Vault, keys: KeyVaultKeys) -> None:
    vault.add()
    signer = await keys.signer()
    vault.status = 500
    with pytest.raises(Unavailable, match="is unavailable"):
        await signer.sign(b"signing input")
    vault.status = None
    vault.requests.clear()

    await keys.published()

    assert vault.requests == []


async def test_closed_keys_open_again(vault: Vault, clock: FixedClock) -> None:
    vault.add()
    keys = KeyVaultKeys(
        vault_url=vault.url, key_name=KEY_NAME, credential=vault.identity, clock=clock, transport=vault.transport
    )
    await keys.close()
    assert len(await keys.published()) == 1

    await keys.close()

    await keys.close()


def test_neither_cryptography_nor_the_vaults_sdk_is_loaded_before_it_is_needed() -> None:
    program = (
        "import sys, shared.adapters.key_vault, shared.adapters.local_keys;"
        "print([name for name in ('cryptography', 'azure.keyvault', 'aiohttp') if name in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert found.stdout == "[]\n"
