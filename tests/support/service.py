"""The service in the test's own process, behind a real port: worker library, real Azurite, real local Entra.

It runs on a thread and event loop of its own, as it would in a worker, so that tests are plain and synchronous and
coverage sees what they reach. Its clock can be moved.
"""

import asyncio
import threading
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any, Self

import uvicorn
from azure.data.tables import TableServiceClient

from functions.app import build_app
from local.entra.server import LocalEntra
from local.host import HostSettings, create_host
from shared.assembly import Services
from shared.settings import read_settings
from shared.wiring import TABLE_NAMES, build_services

FUNCTION_KEY = "test-function-key"
MASTER_KEY = "test-master-key"
PANEL = "https://panel.example/sso/"


class MovableClock:
    """The machine's clock, moved forward as far as a test likes."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def advance(self, by: timedelta) -> None:
        self.ahead += by


def settings_for(url: str, connection_string: str, entra: LocalEntra) -> dict[str, str]:
    """The app settings of a service at `url` on this store and this Entra."""
    return {
        "SSO_PUBLIC_URL": url,
        "SSO_TABLES_CONNECTION_STRING": connection_string,
        "SSO_ENTRA_CLIENT_ID": "a5500000-0000-4000-8000-0000000000a5",
        "SSO_ENTRA_CLIENT_SECRET": "local-client-secret",
        "SSO_ENTRA_HOME_TENANT": "5e110000-0000-4000-8000-000000000000",
        "SSO_ENTRA_AUTHORITY": entra.https,
        "SSO_ENTRA_BROWSER_URL": entra.http,
        "SSO_ENTRA_CA_FILE": str(entra.ca_file),
        "SSO_GRAPH_URL": entra.https,
        "SSO_CONTROL_PANEL_ISSUER": f"{entra.http}/control-panel",
        "SSO_CONTROL_PANEL_AUDIENCE": "azure-sso",
        "SSO_RETURN_URLS": PANEL,
        "SSO_SIGNING_KEY_FOLDER": str(entra.ca_file.parent / "keys"),
        "SSO_PSEUDONYM_KEY": "a pseudonym key of the tests, long enough",
    }


class RunningService:
    """A service that answers at `url` inside a `with` block."""

    def __init__(self, port: int, settings: dict[str, str]) -> None:
        self.url = settings["SSO_PUBLIC_URL"]
        self.clock = MovableClock()
        services = build_services(read_settings(settings), self.clock)
        assert isinstance(services, Services), services
        self.services = services
        self.connection_string = settings["SSO_TABLES_CONNECTION_STRING"]
        host = create_host(
            build_app(services), HostSettings(route_prefix="", function_key=FUNCTION_KEY, master_key=MASTER_KEY)
        )
        self._server = uvicorn.Server(
            uvicorn.Config(host, port=port, lifespan="off", log_config=None, access_log=False, ws="none")
        )
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)

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

    def empty(self) -> None:
        """Make the store as new, and let everything that was remembered age out."""
        self.clock.advance(timedelta(minutes=6))
        with TableServiceClient.from_connection_string(self.connection_string) as service:
            for name in TABLE_NAMES:
                table = service.get_table_client(name)
                if next(iter(table.list_entities(results_per_page=1)), None) is not None:
                    table.delete_table()
                    table.create_table()

    def rows(self, table: str) -> list[dict[str, Any]]:
        """Every row of a table, as the store has it."""
        with TableServiceClient.from_connection_string(self.connection_string) as service:
            return [dict(entity) for entity in service.get_table_client(table).list_entities()]

    async def _serve(self) -> None:
        await self._server.serve()
        await self.services.close()
