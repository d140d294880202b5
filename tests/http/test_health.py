"""Health: which parts answer, for everybody who asks."""

from datetime import timedelta

import httpx
from azure.data.tables import TableServiceClient

from tests.http.conftest import Switch
from tests.support.service import RunningService

PARTS = {"storage": "ok", "entra": "ok", "controlPanel": "ok", "signingKeys": "ok"}


def asked_anew(client: httpx.Client, service: RunningService) -> tuple[int, dict[str, object]]:
    """The answer of a probe that no earlier one stands in for."""
    service.clock.advance(timedelta(minutes=1))
    answer = client.get("/health")
    return answer.status_code, answer.json()


def test_all_is_well(client: httpx.Client, service: RunningService) -> None:
    assert asked_anew(client, service) == (200, {"status": "ok", "parts": PARTS})


def test_without_entra_it_still_resolves_so_no_balancer_takes_it_out(
    client: httpx.Client, service: RunningService, hostile: Switch
) -> None:
    hostile(discovery_status=503)
    assert asked_anew(client, service) == (200, {"status": "degraded", "parts": PARTS | {"entra": "down"}})
    hostile()
    assert asked_anew(client, service) == (200, {"status": "ok", "parts": PARTS})


def test_without_its_store_nothing_works(client: httpx.Client, service: RunningService) -> None:
    with TableServiceClient.from_connection_string(service.connection_string) as tables:
        tables.delete_table("accounts")
        try:
            assert asked_anew(client, service) == (503, {"status": "degraded", "parts": PARTS | {"storage": "down"}})
        finally:
            tables.create_table("accounts")


def test_asking_again_at_once_asks_nobody(client: httpx.Client, service: RunningService, hostile: Switch) -> None:
    assert asked_anew(client, service)[0] == 200
    hostile(discovery_status=503)
    assert client.get("/health").json() == {"status": "ok", "parts": PARTS}
    service.clock.advance(timedelta(seconds=5))
    assert client.get("/health").json() == {"status": "degraded", "parts": PARTS | {"entra": "down"}}
