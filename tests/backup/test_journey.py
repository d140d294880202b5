"""A large store, as the product makes it, lost and brought back; and one that no key opens."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.cast.stack import HOST, Entra, functions_host, local_entra, settings
from local.cast.story import Story
from local.processes import Azurite, free_port
from shared.adapters.system_clock import SystemClock
from shared.adapters.tables.account import Account
from shared.adapters.tables.adapter import AzureTables
from shared.domains.domain_claims import DomainClaims
from shared.kernel.names import AccountId, DomainName, TenantId
from tests.backup.conftest import SETTING, Backup
from tests.backup.conftest import Store as Seen
from tests.backup.test_import import ALL_TABLES, sealed
from tests.conftest import Size
from tests.journeys.test_managed_identity import HEADER, IDENTITY, platform_beside
from tests.support.token_store import STORAGE, TokenStore

TENANT = TenantId("c0c00000-0000-4000-8000-000000000000")
ASKED = [
    (email, application)
    for application in ("unite", "legacy", None)
    for email in (
        "alice@contoso.example",
        "bob@contoso-mail.example",
        "person-1@contoso.example",
        "person-949@contoso.example",
        "somebody@domain-7.example",
        "pat@outlook.example",
    )
]


@pytest.fixture
def url() -> str:
    return f"http://localhost:{free_port()}"


@pytest.fixture
def entra(url: str) -> Iterator[Entra]:
    with local_entra(url) as running:
        yield running


async def claim_domains(azurite: Azurite, number: int, customers: int) -> None:
    tables = AzureTables(Account.from_connection_string(azurite.connection_string))
    claims = DomainClaims(table=tables.table("domains"), clock=SystemClock())
    for each in range(number):
        domain, customer = DomainName(f"domain-{each}.example"), AccountId(f"customer-{each % customers}")
        assert await claims.claim(domain, customer, TENANT)
    await tables.close()


def answers(story: Story) -> dict[tuple[str, str | None], object]:
    return {asked: story.resolve(*asked).json() for asked in ASKED}


MEASURED = """
import sys, tracemalloc
from infra.backup.__main__ import main
tracemalloc.start()
main()
print("MiB", tracemalloc.get_traced_memory()[1] / 2**20)
"""


def most_memory(backup: Backup, *arguments: str | Path) -> float:
    """The most memory, in MiB, that the command had at once for its work; it has to succeed."""
    told = backup.apart(sys.executable, "-c", MEASURED, *arguments)
    assert (told.code, told.err) == (0, "")
    return float(told.out.split()[-1])


@pytest.mark.timeout(600)
async def test_a_large_store_comes_back_to_the_byte_and_the_service_answers_as_before(
    url: str, entra: Entra, store: Seen, backup: Backup, size: Size
) -> None:
    empty = backup.folder / "empty.jsonl"
    idle = max(most_memory(backup, "export", empty), most_memory(backup, "import", empty))
    environment = settings(url, entra, store.azurite.connection_string)
    port = int(url.rpartition(":")[2])
    with functions_host(environment, port=port, settings=HOST), Story.at(url, entra) as story:
        story.begin()
        report = story.except_for(*(f"person-{number}@contoso.example" for number in range(size(9_500))))
        assert report["accepted"] == size(9_500)
        for number in range(size(100)):
            story.must("operator", "PUT", f"/v1/accounts/customer-{number}", json={"name": f"Customer {number}"})
        await claim_domains(store.azurite, size(300), size(100))
        before = answers(story)
    methods = {asked: answer["method"] for asked, answer in before.items() if isinstance(answer, dict)}
    assert methods[("alice@contoso.example", "unite")] == "sso"
    assert methods[("person-949@contoso.example", "unite")] == "password"

    file, again = backup.folder / "backup.jsonl", backup.folder / "again.jsonl"
    exporting = most_memory(backup, "export", file)
    assert len(file.read_bytes().splitlines()) - 2 >= size(10_000)
    store.wipe()
    importing = most_memory(backup, "import", file)
    told = backup.apart(sys.executable, "-m", "infra.backup", "export", again)
    assert (told.code, told.err) == (0, "")
    assert again.read_bytes() == file.read_bytes()

    assert max(exporting, importing) < idle + 32, "what is read and written passes through"

    with functions_host(environment, port=port, settings=HOST), Story.at(url, entra) as story:
        assert answers(story) == before
        assert len(story.audit()) > size(90)
        story.except_for("late@contoso.example")
        assert story.method("late@contoso.example") == "password"


def test_without_a_key_the_operators_own_sign_in_opens_the_store(
    tokens_only: TokenStore, entra: Entra, backup: Backup, tmp_path: Path
) -> None:
    """A managed identity stands for the operator, as on a machine in Azure: both come by the same credential."""
    row = {"table": "accounts", "entity": {"PartitionKey": "acme", "RowKey": "head:account"}}
    file, again = sealed(tmp_path / "a.jsonl", [ALL_TABLES, row]), tmp_path / "again.jsonl"
    backup.monkeypatch.delenv(SETTING)
    with platform_beside(entra) as platform:
        environment = {
            "SSO_TABLES_URL": tokens_only.url,
            "AZURE_CLIENT_ID": IDENTITY,
            "IDENTITY_ENDPOINT": f"{platform.url}/msi/token",
            "IDENTITY_HEADER": HEADER,
            "SSL_CERT_FILE": str(tokens_only.ca),
        }
        command = [sys.executable, "-m", "infra.backup"]
        for arguments in (["import", file, "--exact"], ["export", again]):
            told = backup.apart(*command, *arguments, **environment)
            assert (told.code, told.err) == (0, "")
        assert again.read_bytes() == file.read_bytes()
        assert {*platform.asked} == {STORAGE}

        platform.audience = "https://elsewhere.example"
        told = backup.apart(*command, "export", tmp_path / "none.jsonl", **environment)
    assert told.code == 1
    assert told.err.startswith("The store does not let you in. Sign in with `az login`")
