"""As in Azure: no secret anywhere, for the managed identity opens both the store and the customers' tenants.

Azurite checks issuer, audience and lifetime of a token (`--oauth basic`) but no signature, so the platform's token
endpoint is played here for storage; for Entra it is local Entra's own.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
import trustme
from azure.data.tables import TableServiceClient

from local import loopback
from local.cast.stack import HOST, Entra, functions_host, settings
from local.cast.story import Story
from local.entra.clock import utc_now
from local.processes import ROOT, Azurite, free_port, listens, running
from shared.wiring import TABLE_NAMES
from tests.support.wire import CannedWeb, canned_web

IDENTITY = "5e110000-0000-4000-8000-0000000001d0"
TENANT = "5e110000-0000-4000-8000-000000000000"
HEADER = "local-identity-header"
STORAGE = "https://storage.azure.com"


@dataclass(frozen=True)
class Store:
    """An Azurite that takes tokens over https only."""

    url: str
    ca: Path


@pytest.fixture
def token_store(tmp_path: Path) -> Iterator[Store]:
    authority = trustme.CA()
    ca, cert, key = tmp_path / "ca.pem", tmp_path / "cert.pem", tmp_path / "key.pem"
    authority.cert_pem.write_to_path(str(ca))
    issued = authority.issue_cert("localhost", "127.0.0.1")
    issued.cert_chain_pems[0].write_to_path(str(cert))
    issued.private_key_pem.write_to_path(str(key))
    port = free_port()
    program = ROOT / "node_modules" / ".bin" / "azurite-table"
    options = ["--tablePort", str(port), "--inMemoryPersistence", "--skipApiVersionCheck", "--disableTelemetry"]
    tokens = ["--oauth", "basic", "--cert", cert, "--key", key]
    with running("Azurite", [program, *options, *tokens], tmp_path / "azurite.log") as child:
        child.wait_until(lambda: listens(port), 30)
        by_key = Azurite(tmp_path, port=port).connection_string.replace("http", "https")
        with TableServiceClient.from_connection_string(by_key, connection_verify=str(ca)) as service:
            for name in TABLE_NAMES:
                service.create_table(name)
        yield Store(f"https://127.0.0.1:{port}/devstoreaccount1", ca)


class Platform(CannedWeb):
    """The token endpoint that the platform gives an app."""

    entra: str = ""
    audience: str = STORAGE

    def answer(self, path: str) -> bytes:
        query = {name: value for name, (value,) in parse_qs(urlsplit(path).query).items()}
        self.asked.append(query["resource"])
        assert query["client_id"] == IDENTITY
        if query["resource"] != STORAGE:
            headers = {"X-IDENTITY-HEADER": HEADER}
            return loopback.get(f"{self.entra}/msi/token", params=query, headers=headers).content
        now = int(utc_now().timestamp())
        issuer = f"https://sts.windows.net/{TENANT}/"
        claims = {"iss": issuer, "aud": self.audience, "iat": now, "nbf": now, "exp": now + 3600}
        token = jwt.encode(claims, "the platform's key, which nobody checks", algorithm="HS256")
        return json.dumps(
            {"access_token": token, "expires_on": str(now + 3600), "resource": STORAGE, "token_type": "Bearer"}
        ).encode()


@contextmanager
def platform_beside(entra: Entra, audience: str = STORAGE) -> Iterator[Platform]:
    platform = Platform()
    platform.entra, platform.audience = entra.http, audience
    with canned_web(platform):
        yield platform


def as_in_azure(url: str, entra: Entra, store: Store, platform: Platform) -> dict[str, str]:
    """App settings without a secret, and what the platform adds to them."""
    secrets = {"SSO_TABLES_CONNECTION_STRING", "SSO_ENTRA_CLIENT_SECRET"}
    return {name: value for name, value in settings(url, entra, "").items() if name not in secrets} | {
        "SSO_TABLES_URL": store.url,
        "SSO_IDENTITY_CLIENT_ID": IDENTITY,
        "IDENTITY_ENDPOINT": f"{platform.url}/msi/token",
        "IDENTITY_HEADER": HEADER,
        "SSL_CERT_FILE": str(store.ca),
    }


def test_the_story_needs_no_secret(port: int, url: str, token_store: Store, entra: Entra) -> None:
    with (
        platform_beside(entra) as platform,
        functions_host(as_in_azure(url, entra, token_store, platform), port=port, settings=HOST) as host,
        Story.at(url, entra) as story,
    ):
        story.begin()
        assert story.method("alice@contoso.example") == "sso"
        log = host.log()
    assert {*platform.asked} == {STORAGE, "api://AzureADTokenExchange"}
    assert len(platform.asked) <= 4, "tokens are kept while they live"
    assert "eyJ" not in log


def test_a_token_for_another_resource_opens_no_store(port: int, url: str, token_store: Store, entra: Entra) -> None:
    with (
        platform_beside(entra, audience="https://elsewhere.example") as platform,
        functions_host(as_in_azure(url, entra, token_store, platform), port=port, settings=HOST),
    ):
        health = loopback.get(f"{url}/health", timeout=20)
    assert (health.status_code, health.json()["parts"]["storage"] == "ok") == (503, False)
