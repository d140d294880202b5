"""The app's managed identity: the platform is asked for tokens of it, and only when one is needed."""

import json
from urllib.parse import parse_qs, urlsplit

import pytest

from shared.adapters.app_identity import AppIdentity
from tests.support.wire import CannedWeb, canned_web

CLIENT_ID = "5e110000-0000-4000-8000-0000000001d0"
STORAGE, VAULT = "https://storage.azure.com/.default", "https://vault.azure.net/.default"


async def test_tokens_of_the_identity_are_for_the_resource_that_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    token = {"access_token": "a token", "expires_on": "4000000000", "resource": "r", "token_type": "Bearer"}
    with canned_web(
        CannedWeb(body=json.dumps(token).encode(), headers={"Content-Type": "application/json"})
    ) as platform:
        monkeypatch.setenv("IDENTITY_ENDPOINT", f"{platform.url}/msi/token")
        monkeypatch.setenv("IDENTITY_HEADER", "header")
        async with AppIdentity(CLIENT_ID) as identity:
            tokens = [await identity.get_token(scope) for scope in (STORAGE, VAULT)]
    assert [each.token for each in tokens] == ["a token"] * 2
    asked = [parse_qs(urlsplit(path).query) for path in platform.asked]
    assert [query["resource"] for query in asked] == [["https://storage.azure.com"], ["https://vault.azure.net"]]
    assert [query["client_id"] for query in asked] == [[CLIENT_ID]] * 2


async def test_it_can_be_closed_before_it_was_used() -> None:
    await AppIdentity(None).close()
