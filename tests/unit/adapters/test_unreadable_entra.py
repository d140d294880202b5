"""An Entra whose answers are in no form that is documented: nobody's refusal, and no error of this service."""

import json
from collections.abc import Mapping

import pytest

from shared.adapters.entra.graph import Graph
from shared.adapters.entra.id_tokens import IdTokens
from shared.adapters.entra.msal_clients import MsalClients
from shared.adapters.entra.provider import EntraProvider
from shared.adapters.entra.token_requests import TokenRequests
from shared.adapters.system_clock import SystemClock
from shared.adapters.web import Web
from shared.kernel.encoding import base64url
from shared.kernel.names import TenantId
from shared.kernel.refusals import Unavailable

AUTHORITY, CALLBACK = "https://entra.example", "https://sso.example/signin/callback"
CONTOSO = TenantId("11111111-0000-4000-8000-000000000001")
DISCOVERY = {"authorization_endpoint": f"{AUTHORITY}/authorize", "token_endpoint": f"{AUTHORITY}/token", "issuer": "i"}

DEEP = b"[" * 100_000


class Answering(Web):
    """Entra, with one answer to every form and one to everything else."""

    def __init__(
        self, token: bytes = b"{}", discovery: bytes = json.dumps(DISCOVERY).encode(), discovery_status: int = 200
    ) -> None:
        super().__init__("Microsoft")
        self._token = token
        self._discovery = discovery_status, discovery

    async def ask(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None = None
    ) -> tuple[int, Mapping[str, str], bytes]:
        status, document = (200, self._token) if method == "POST" else self._discovery
        return status, {}, document


def provider_at(web: Web) -> EntraProvider:
    clients = MsalClients(authority=AUTHORITY, client_id="app", credential="secret", web=web)
    return EntraProvider(
        tokens=TokenRequests(clients=clients, web=web, authority_url=AUTHORITY),
        id_tokens=IdTokens(authority=AUTHORITY, client_id="app", web=web, clock=SystemClock()),
        graph=Graph(url="https://graph.example", web=web),
        browser_url=AUTHORITY,
        client_id="app",
    )


def with_id_token(token: object, **others: object) -> bytes:
    return json.dumps({"id_token": token, **others}).encode()


@pytest.mark.parametrize(
    "token",
    [
        *(b"[]", b"null", b'"text"', b"1", b"", b"<html>", DEEP, b'{"error": {"code": 1}}'),
        *map(with_id_token, ["no dots", 5, [], None, "a.!.c", f"e30.{base64url(b'[]')}.c2ln"]),
        with_id_token(f"e30.{base64url(DEEP)}.c2ln"),
        with_id_token("e30.e30.c2ln", scope=5),
    ],
)
async def test_an_answer_to_a_code_in_another_form_is_no_answer(token: bytes) -> None:
    with pytest.raises(Unavailable):
        await provider_at(Answering(token)).finish_sign_in(CONTOSO, CALLBACK, "code", "v" * 43, "nonce")


@pytest.mark.parametrize("token", [b"[]", b"null", b'"text"', b"1", b"", DEEP, b'{"error": {"code": 1}}'])
async def test_an_answer_to_the_service_itself_in_another_form_takes_no_consent_away(token: bytes) -> None:
    with pytest.raises(Unavailable):
        await provider_at(Answering(token)).read_organization(CONTOSO)


@pytest.mark.parametrize("discovery", [b"[]", b"null", b'"text"', b"{}", DEEP])
async def test_a_discovery_in_another_form_begins_no_sign_in(discovery: bytes) -> None:
    with pytest.raises(Unavailable):
        await provider_at(Answering(discovery=discovery)).begin_sign_in(CONTOSO, CALLBACK, "state", prompt=None)


@pytest.mark.parametrize("status", [201, 204, 304])
async def test_a_discovery_of_another_status_begins_no_sign_in(status: int) -> None:
    with pytest.raises(Unavailable):
        await provider_at(Answering(discovery_status=status)).begin_sign_in(CONTOSO, CALLBACK, "state", prompt=None)
