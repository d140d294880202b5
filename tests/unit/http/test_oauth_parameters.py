"""The parameters that the OpenAPI document describes are those that the provider reads."""

from typing import Any

import pytest
from azure.functions import HttpRequest

from functions.app import build_routes
from functions.http.endpoint import Endpoint
from functions.http.roles import Anybody
from shared.access.roles import Actor, Operator
from shared.applications.application import ApplicationProfile
from shared.assembly import assemble
from shared.kernel.names import ClientId
from shared.kernel.refusals import Refusal
from shared.services import Services
from tests.support.ports import fakes

CALLBACK = "https://unite.example/callback"


class Recorded(dict[str, tuple[str, ...]]):
    """Parameters as they were sent, which note the names that are asked for."""

    def __init__(self, **sent: str) -> None:
        super().__init__({name: (value,) for name, value in sent.items()})
        self.asked: set[str] = set()

    def get(self, name: str, default: Any = None) -> Any:
        self.asked.add(name)
        return super().get(name, default)


@pytest.fixture
async def services() -> Services:
    assembled = assemble(fakes())
    profile = ApplicationProfile(name="Unite", redirect_uris=(CALLBACK,), sso_supported=True, refresh_tokens=True)
    await assembled.applications.put(Operator(Actor("olga", None, "Operator")), ClientId("unite"), profile, None)
    return assembled


def endpoint(services: Services, name: str) -> Endpoint:
    (found,) = [each for routes in build_routes(services) for each in routes.endpoints if each.name == name]
    return found


def described(endpoint: Endpoint) -> set[str]:
    (names,) = [{*each.wanted.__annotations__} for each in endpoint.parameters if each.name == "parameters"]
    return names


async def test_an_authorization_request_is_described_as_it_is_read(services: Services) -> None:
    authorize = endpoint(services, "authorize")
    request = Recorded(
        client_id="unite",
        redirect_uri=CALLBACK,
        response_type="code",
        scope="openid",
        code_challenge="c" * 43,
        code_challenge_method="S256",
    )
    page = await authorize.handler(Anybody(), HttpRequest("GET", "/oauth2/authorize", body=b""), request)
    assert page.status_code == 200
    assert request.asked == described(authorize) | {"request", "request_uri"}, "those two are read to be refused"
    assert described(endpoint(services, "authorize_by_form")) == described(authorize)


async def test_a_token_request_is_described_as_it_is_read(services: Services) -> None:
    redeem = endpoint(services, "redeem_code")
    public = Recorded(client_id="unite", grant_type="authorization_code", code="none")
    asserted = Recorded(client_id="unite", client_assertion="a.b.c", grant_type="authorization_code")
    renewed = Recorded(client_id="unite", grant_type="refresh_token", refresh_token="none", scope="openid")
    for request in (public, asserted, renewed):
        with pytest.raises(Refusal):
            await redeem.handler(Anybody(), HttpRequest("POST", "/oauth2/token", body=b""), None, request)
    read_after_the_code, read_after_the_family = {"redirect_uri", "code_verifier"}, {"scope"}
    read_after = read_after_the_code | read_after_the_family
    assert public.asked | asserted.asked | renewed.asked | read_after == described(redeem)


async def test_a_logout_request_is_described_as_it_is_read(services: Services) -> None:
    sign_out = endpoint(services, "sign_out")
    request = Recorded(client_id="unite", state="s")
    page = await sign_out.handler(Anybody(), HttpRequest("GET", "/oauth2/logout", body=b""), request)
    assert page.status_code == 200
    assert request.asked == described(sign_out) == described(endpoint(services, "sign_out_by_form"))
