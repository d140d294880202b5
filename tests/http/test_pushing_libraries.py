"""What the .NET libraries do wherever discovery names an endpoint for pushed requests, by their published sources.

No .NET runs here, so each test sends what its library sends, and reads the response as it does.
"""

import base64
import re
import secrets
from typing import Any
from urllib.parse import quote_plus, urlencode

import httpx
import pytest

from tests.http.conftest import Caller
from tests.http.signing_in import REDIRECT_URI, Asked, Person, Register, query_of, redeem
from tests.http.test_response_modes import posted
from tests.support.service import RunningService

FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def secret(register: Register, operator: Caller) -> str:
    """The secret of the application `unite`, which is registered as its operators find it."""
    register("unite", tokenEndpointAuthMethod="client_secret_post")
    renewed = operator("POST", "/v1/applications/unite/secret", headers={"If-Match": "*"})
    return str(renewed.raise_for_status().json()["clientSecret"])


@pytest.fixture
def endpoint(client: httpx.Client) -> str:
    """The endpoint, where both look for it."""
    metadata = client.get("/.well-known/openid-configuration").json()
    assert metadata["require_pushed_authorization_requests"] is False
    return str(metadata["pushed_authorization_request_endpoint"])


@pytest.mark.parametrize("behaviour", ["RedirectGet", "FormPost"])
def test_asp_net_core(
    contoso: Caller,
    secret: str,
    endpoint: str,
    client: httpx.Client,
    person: Person,
    service: RunningService,
    behaviour: str,
) -> None:
    """dotnet/aspnetcore, OpenIdConnectHandler.PushAuthorizationRequest and GetPushedAuthorizationRequestUri.

    The secret goes in the form, `response_mode` is form_post, the state is 2,100 characters, and Microsoft's own
    parameters of telemetry are beside the name in the address.
    """
    asked = Asked(state=secrets.token_urlsafe(1_575), nonce=f"6389{'0' * 14}.{secrets.token_urlsafe(64)}")
    form = asked.parameters() | {"response_mode": "form_post", "scope": "openid profile", "client_secret": secret}
    response = client.post(endpoint, content=urlencode(form), headers={"Content-Type": FORM})
    assert re.match("application/json($|;)", response.headers["content-type"]), "else it throws"
    named = {"client_id": "unite", "request_uri": response.json()["request_uri"]}
    if behaviour == "RedirectGet":
        beside = {"x-client-SKU": "ID_NET10_0", "x-client-ver": "8.0.1.0"}
        away = person.open(f"{service.url}/oauth2/authorize?{urlencode(named | beside)}")
    else:
        by_form = client.post("/oauth2/authorize", data=named, headers={"Sec-Fetch-Site": "cross-site"})
        away = person.open(by_form.headers["location"])
    answer = posted(person.open(person.sign_in_at_microsoft(away.headers["location"])))
    assert (answer["state"], answer["iss"]) == (asked.state, service.url)
    tokens = redeem(service, asked.redemption(answer["code"]) | {"client_secret": secret})
    assert tokens.json().keys() >= {"id_token", "access_token"}


def test_asp_net_core_shows_what_is_wrong(contoso: Caller, secret: str, endpoint: str, client: httpx.Client) -> None:
    """Without a `request_uri` in the response it throws, with `error` and `error_description` of the JSON."""
    wrong: list[dict[str, Any]] = [
        {"client_secret": "guessed"},
        {"client_secret": secret, "redirect_uri": "https://x/"},
    ]
    for changes, error in zip(wrong, ("invalid_client", "invalid_request"), strict=True):
        response = client.post(endpoint, data=Asked().parameters() | changes)
        assert response.headers["content-type"] == "application/json"
        assert response.json()["error"] == error
        assert response.json()["error_description"]


@pytest.mark.parametrize("in_header", [True, False])
def test_openiddict(
    contoso: Caller,
    secret: str,
    endpoint: str,
    client: httpx.Client,
    person: Person,
    service: RunningService,
    *,
    in_header: bool,
) -> None:
    """openiddict/openiddict-core, OpenIddictClientSystemNetHttpHandlers.Authorization.

    It sends `Accept: application/json`, its secret in the header (form-encoded) or in the form, as it has negotiated,
    and a state of 2,984 characters. It reads JSON of a successful status, `request_uri` and a positive `expires_in`.
    """
    asked = Asked(state="s" * 2_984, nonce=secrets.token_urlsafe(32))
    credentials = f"{quote_plus('unite')}:{quote_plus(secret)}".encode()
    headers = {"Accept": "application/json", "Accept-Charset": "utf-8", "User-Agent": "OpenIddict.Client/7.0"}
    basic = {"Authorization": f"Basic {base64.b64encode(credentials).decode()}"} if in_header else {}
    form = asked.parameters() | ({} if in_header else {"client_secret": secret})
    response = client.post(endpoint, data=form, headers=headers | basic)
    assert response.is_success
    assert response.json()["expires_in"] > 0
    named = {"client_id": "unite", "request_uri": response.json()["request_uri"]}
    away = person.open(f"{service.url}/oauth2/authorize?{urlencode(named)}")
    back = person.open(person.sign_in_at_microsoft(away.headers["location"])).headers["location"]
    assert back.startswith(f"{REDIRECT_URI}?")
    assert query_of(back)["state"] == asked.state
    tokens = redeem(service, asked.redemption(query_of(back)["code"]) | {"client_secret": secret})
    assert tokens.json().keys() >= {"id_token", "access_token"}
