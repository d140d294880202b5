"""As in Azure: no secret anywhere, for the managed identity opens both the store and the customers' tenants.

Azurite checks no signature of a token, so the platform's token endpoint is played here for storage; for Entra it is
local Entra's own.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from local import loopback
from local.cast.stack import HOST, Entra, functions_host, settings
from local.cast.story import Story
from shared.wiring import TABLE_NAMES
from tests.support.token_store import STORAGE, TokenStore, storage_token, token_store
from tests.support.wire import CannedWeb, canned_web

IDENTITY = "5e110000-0000-4000-8000-0000000001d0"
HEADER = "local-identity-header"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[TokenStore]:
    with token_store(tmp_path, TABLE_NAMES) as running:
        yield running


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
        token, expiry = storage_token(self.audience)
        return json.dumps(
            {"access_token": token, "expires_on": str(expiry), "resource": STORAGE, "token_type": "Bearer"}
        ).encode()


@contextmanager
def platform_beside(entra: Entra, audience: str = STORAGE) -> Iterator[Platform]:
    platform = Platform()
    platform.entra, platform.audience = entra.http, audience
    with canned_web(platform):
        yield platform


def as_in_azure(url: str, entra: Entra, store: TokenStore, platform: Platform) -> dict[str, str]:
    """App settings without a secret, and what the platform adds to them."""
    secrets = {"SSO_TABLES_CONNECTION_STRING", "SSO_ENTRA_CLIENT_SECRET"}
    return {name: value for name, value in settings(url, entra, "").items() if name not in secrets} | {
        "SSO_TABLES_URL": store.url,
        "SSO_IDENTITY_CLIENT_ID": IDENTITY,
        "IDENTITY_ENDPOINT": f"{platform.url}/msi/token",
        "IDENTITY_HEADER": HEADER,
        "SSL_CERT_FILE": str(store.ca),
    }


def test_the_story_needs_no_secret(port: int, url: str, store: TokenStore, entra: Entra) -> None:
    with (
        platform_beside(entra) as platform,
        functions_host(as_in_azure(url, entra, store, platform), port=port, settings=HOST) as host,
        Story.at(url, entra) as story,
    ):
        story.begin()
        assert story.method("alice@contoso.example") == "sso"
        log = host.log()
    assert {*platform.asked} == {STORAGE, "api://AzureADTokenExchange"}
    assert len(platform.asked) <= 4, "tokens are kept while they live"
    assert "eyJ" not in log


def test_a_token_for_another_resource_opens_no_store(port: int, url: str, store: TokenStore, entra: Entra) -> None:
    with (
        platform_beside(entra, audience="https://elsewhere.example") as platform,
        functions_host(as_in_azure(url, entra, store, platform), port=port, settings=HOST),
    ):
        health = loopback.get(f"{url}/health", timeout=20)
    assert (health.status_code, health.json()["parts"]["storage"] == "ok") == (503, False)
