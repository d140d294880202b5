"""The service in the test's own process, behind a real port: worker library, real Azurite, real local Entra.

It runs on a thread and event loop of its own, as it would in a worker, so that tests are plain and synchronous and
coverage sees what they reach. Its clock can be moved.
"""

import asyncio
import json
import threading
import time
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import uvicorn
from azure.core.credentials import AzureNamedKeyCredential
from azure.data.tables import AccountSasPermissions, ResourceTypes, TableServiceClient, generate_account_sas

from functions.app import build_app
from local.cast.stack import FUNCTION_KEY, MASTER_KEY, EntraAddresses, settings
from local.entra.server import LocalEntra
from local.host import HostSettings, create_host
from local.processes import free_port
from shared.adapters.tables.account import Account
from shared.services import Services
from shared.settings import read_settings
from shared.wiring import TABLE_NAMES, build_services

PANEL = "https://panel.example/sso/"


class MovableClock:
    """The machine's clock, moved forward as far as a test likes."""

    def __init__(self) -> None:
        self.ahead = timedelta()
        self.wrong = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead + self.wrong

    def monotonic(self) -> timedelta:
        return timedelta(seconds=time.monotonic()) + self.ahead

    def advance(self, by: timedelta) -> None:
        """Let time pass."""
        self.ahead += by

    def jump(self, by: timedelta) -> None:
        """Set the clock. No time passes."""
        self.wrong += by


def settings_for(url: str, connection_string: str, entra: LocalEntra) -> dict[str, str]:
    """The app settings of a service at `url` on this store and this Entra, with a free port for a control panel."""
    addresses = EntraAddresses(entra.http, entra.https, str(entra.ca_file))
    return {
        **settings(url, addresses, connection_string),
        "SSO_RETURN_URLS": f"{PANEL},http://localhost:{free_port()}/",
    }


class RunningService:
    """A service that answers at `url` inside a `with` block."""

    def __init__(self, port: int, chosen: dict[str, str]) -> None:
        self.url = chosen["SSO_PUBLIC_URL"]
        self.clock = MovableClock()
        services = build_services(read_settings(chosen), self.clock)
        assert isinstance(services, Services), services
        self.services = services
        self.connection_string = chosen["SSO_TABLES_CONNECTION_STRING"]
        self.panel_url = chosen["SSO_RETURN_URLS"].rpartition(",")[2].rstrip("/")
        origins = (self.panel_url,)
        host = create_host(
            build_app(services),
            HostSettings(route_prefix="", function_key=FUNCTION_KEY, master_key=MASTER_KEY, cors_origins=origins),
        )
        self._server = uvicorn.Server(
            uvicorn.Config(host, port=port, lifespan="off", log_config=None, access_log=False, ws="none")
        )
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)
        self._store = TableServiceClient.from_connection_string(self.connection_string)
        self._wire = HTTPConnection(urlsplit(self._store.url).netloc)
        account = Account.from_connection_string(self.connection_string)
        self._sas = generate_account_sas(
            AzureNamedKeyCredential(account.name, account.key),
            ResourceTypes(service=True, object=True, container=True),
            AccountSasPermissions(read=True, list=True, delete=True, add=True, create=True, write=True),
            datetime.now(UTC) + timedelta(days=2),
        )
        self._tables = {name: self._store.get_table_client(name) for name in TABLE_NAMES}

    def __enter__(self) -> Self:
        self._thread.start()
        while not self._server.started:
            assert self._thread.is_alive(), "the service did not start"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.should_exit = True
        self._thread.join()
        self._store.close()
        self._wire.close()

    def empty(self) -> None:
        """Empty the store, and let every cache expire."""
        self.clock.advance(timedelta(minutes=6))
        for name in self._tables:
            if json.loads(self._plainly("GET", f"{name}()?$top=1"))["value"]:
                self._plainly("DELETE", f"Tables('{name}')?")
                self._plainly("POST", "Tables?", json.dumps({"TableName": name}))
        self._wire.close()  # Azurite closes it itself after five quiet seconds, perhaps as the next request is sent

    def rows(self, table: str) -> list[dict[str, Any]]:
        """Every row of a table, as the store has it."""
        return [dict(entity) for entity in self._tables[table].list_entities()]

    def _plainly(self, method: str, path: str, body: str | None = None) -> bytes:
        """One call of the store past its SDK, which takes several times as long; each test makes some."""
        headers = {"Accept": "application/json;odata=nometadata", "Content-Type": "application/json"}
        self._wire.request(method, f"/{self._store.account_name}/{path}&{self._sas}", body, headers)
        answer = self._wire.getresponse()
        read = answer.read()
        assert answer.status in {200, 201, 204}, read
        return read

    async def _serve(self) -> None:
        await self._server.serve()
        await self.services.upkeep.close()
