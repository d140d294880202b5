"""The register of applications, where two operators meet."""

import asyncio
import json

from shared.access.roles import Actor, Operator
from shared.applications.application import ApplicationProfile, AuthMethod, CodeBinding, application_key
from shared.applications.register import ApplicationRegister
from shared.kernel.names import ClientId
from shared.kernel.refusals import PreconditionRequired
from shared.kernel.versions import Expected
from shared.ports.table import Put
from tests.support.fakes import FixedClock, InMemoryTable

OLGA = Operator(Actor("panel-7", "Olga", "Operator"))
UNITE = ClientId("unite")
BASIC = AuthMethod.CLIENT_SECRET_BASIC
DAY = "2026-11-01T00:00:00Z"


def profile(name: str) -> ApplicationProfile:
    return ApplicationProfile(name=name, sso_supported=True)


async def test_of_those_who_register_the_same_at_once_one_is_first_and_all_are_content() -> None:
    register = ApplicationRegister(table=InMemoryTable(), clock=FixedClock())
    answers = await asyncio.gather(*(register.put(OLGA, UNITE, profile("Unite"), None) for _ in range(4)))
    assert sorted(created for _, created in answers) == [False, False, False, True]
    assert len({stored.version for stored, _ in answers}) == 1


async def test_of_those_who_register_different_things_at_once_one_wins() -> None:
    register = ApplicationRegister(table=InMemoryTable(), clock=FixedClock())
    puts = (register.put(OLGA, UNITE, profile(name), None) for name in ("One", "Other"))
    answers = await asyncio.gather(*puts, return_exceptions=True)
    (winner,) = (answer for answer in answers if not isinstance(answer, BaseException))
    assert [type(answer) for answer in answers if isinstance(answer, BaseException)] == [PreconditionRequired]
    assert (await register.read(OLGA, UNITE)).record == winner[0].record


async def test_every_application_is_listed_and_no_record_of_a_trail_is_taken_for_one() -> None:
    """There are more than the store hands over at once."""
    register = ApplicationRegister(table=InMemoryTable(), clock=FixedClock())
    client_ids = [f"application-{number:04}" for number in range(1_001)]
    for client_id in reversed(client_ids):
        await register.put(OLGA, ClientId(client_id), profile(client_id), None)
    assert [application.client_id for application in await register.all(OLGA)] == client_ids
    assert len(await register.trails()) == len(client_ids)


async def test_an_application_of_before_keeps_pkce_and_its_repeated_entry_changes_nothing() -> None:
    """Stored before there was a choice of what binds a code."""
    table = InMemoryTable()
    profile = {"name": "Unite", "ssoSupported": True, "tokenEndpointAuthMethod": BASIC}
    stored = {"clientId": UNITE, "profile": profile, "createdAt": DAY, "updatedAt": DAY}
    await table.write(Put(application_key(UNITE), json.dumps(stored)))
    register = ApplicationRegister(table=table, clock=FixedClock())
    same = ApplicationProfile(name="Unite", sso_supported=True, token_endpoint_auth_method=BASIC)
    kept, created = await register.put(OLGA, UNITE, same, None)
    assert (created, kept.record.profile.binding) == (False, CodeBinding.PKCE)
    changed, _ = await register.put(OLGA, UNITE, same.model_copy(update={"name": "Unite 2"}), Expected(None))
    assert changed.record.profile.binding is CodeBinding.PKCE
    fresh, _ = await register.put(OLGA, ClientId("meeting"), same, None)
    assert fresh.record.profile.binding is CodeBinding.PKCE_OR_NONCE
