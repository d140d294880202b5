import logging
from collections.abc import AsyncIterator, Callable

import azure.functions as func
import httpx
import pytest

from local.host import HostSettings, create_host

SETTINGS = HostSettings(
    route_prefix="",
    function_key="function-key",
    master_key="master-key",
    cors_origins=("https://panel.example",),
)

type Call = Callable[[func.FunctionApp, HostSettings], httpx.AsyncClient]


@pytest.fixture
async def call() -> AsyncIterator[Call]:
    """Make a client for an app, served in this process."""
    clients: list[httpx.AsyncClient] = []

    def serve(app: func.FunctionApp, settings: HostSettings = SETTINGS) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(create_host(app, settings))
        clients.append(httpx.AsyncClient(transport=transport, base_url="http://localhost:7071"))
        return clients[-1]

    yield serve
    for client in clients:
        await client.aclose()


@pytest.fixture(autouse=True)
def _quiet_worker(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
