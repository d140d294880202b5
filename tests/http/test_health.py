"""Health: which parts answer, for everybody who asks."""

import re
from datetime import timedelta

import httpx
import pytest
from azure.data.tables import TableServiceClient

from local.entra.server import LocalEntra
from local.processes import ROOT
from tests.http.conftest import Switch
from tests.support.service import RunningService

PARTS = {
    "storage": "ok",
    "entra": "ok",
    "controlPanel": "ok",
    "signingKeys": "ok",
    "credential": "ok",
    "cookies": "ok",
}


def asked_anew(client: httpx.Client, service: RunningService) -> tuple[int, dict[str, object]]:
    """The answer of a probe that no earlier one stands in for."""
    service.clock.advance(timedelta(minutes=1))
    answer = client.get("/health")
    return answer.status_code, answer.json()


def test_all_is_well(client: httpx.Client, service: RunningService) -> None:
    assert asked_anew(client, service) == (200, {"status": "ok", "parts": PARTS})


def test_the_readme_shows_what_it_answers(client: httpx.Client, service: RunningService) -> None:
    assert asked_anew(client, service)[0] == 200
    assert f"\n{client.get('/health').text}\n" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_without_entra_it_still_resolves_so_no_balancer_takes_it_out(
    client: httpx.Client, service: RunningService, hostile: Switch
) -> None:
    hostile(discovery_status=503, token_status=503)
    out = PARTS | {"entra": "down", "credential": "down"}
    assert asked_anew(client, service) == (200, {"status": "degraded", "parts": out})
    hostile()
    assert asked_anew(client, service) == (200, {"status": "ok", "parts": PARTS})


def test_a_secret_that_entra_does_not_take_shows_and_is_told_in_the_log(
    client: httpx.Client, service: RunningService, entra: LocalEntra, caplog: pytest.LogCaptureFixture
) -> None:
    """As if the registration's secret had expired, or its federated credential named somebody else."""
    assert asked_anew(client, service)[0] == 200  # what was down before is not logged again
    renewed = entra.cloud.directory.application.model_copy(update={"client_secret": "another"})
    entra.cloud.directory = entra.cloud.directory.model_copy(update={"application": renewed})
    out = PARTS | {"credential": "down"}
    assert asked_anew(client, service) == (200, {"status": "degraded", "parts": out})
    assert "Entra refuses this service: error=invalid_client AADSTS7000215" in caplog.text
    assert (
        "credential is down: The vendor's operators must fix this: Microsoft does not accept the secret" in caplog.text
    )
    entra.cloud.reset()
    assert asked_anew(client, service) == (200, {"status": "ok", "parts": PARTS})


def test_asking_often_does_not_make_us_ask_entra_for_tokens_often(
    client: httpx.Client, service: RunningService, hostile: Switch
) -> None:
    assert asked_anew(client, service)[0] == 200
    hostile(token_status=503)
    service.clock.advance(timedelta(seconds=50))
    assert client.get("/health").json() == {"status": "ok", "parts": PARTS}
    service.clock.advance(timedelta(seconds=10))
    assert client.get("/health").json() == {"status": "degraded", "parts": PARTS | {"credential": "down"}}


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


def test_a_cookie_is_shown_as_it_arrives_and_leaves_nothing(client: httpx.Client) -> None:
    answer = client.get("/health/cookie")
    assert (answer.status_code, answer.content, answer.headers["Cache-Control"]) == (204, b"", "no-store")
    (line,) = answer.headers.get_list("set-cookie")
    assert re.fullmatch(
        "__Host-azure-sso-probe-[0-9a-f]{16}=; max-age=0; path=/; secure; samesite=lax; httponly", line
    ), line
