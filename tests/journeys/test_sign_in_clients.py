"""Two OpenID Connect clients that know nothing of the service but its address, and the sample application."""

import asyncio
import json
import re
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import Any

import httpx
import pytest
from authlib.integrations.starlette_client import OAuth
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from cryptography.hazmat.primitives.asymmetric import rsa
from joserfc.jwk import RSAKey
from jwt.algorithms import RSAAlgorithm

from local import demo_data
from local.cast.browser import Browser, Page
from local.cast.person import PASSWORD
from local.cast.stack import FUNCTION_KEY, HOST, azurite, functions_host, local_entra, settings
from local.cast.story import Story
from local.processes import free_port, listens, running
from local.stack import Ports
from local.stack import Stack as LocalStack
from shared.wiring import TABLE_NAMES

ALICE = "alice@contoso.example"
BOB = "bob@contoso-mail.example"
CAROL = "carol@contoso-mail.example"
CONTOSO = "c0c00000-0000-4000-8000-000000000000"
REDIRECT_URI = "https://application.example/callback"
METHODS = ["none", "client_secret_basic", "client_secret_post", "private_key_jwt"]


@dataclass(frozen=True)
class Stack:
    """A running service, of which Contoso is a customer, and the address of local Entra."""

    url: str
    entra: str
    story: Story


@dataclass(frozen=True)
class Client:
    """What an application's developers configure: no address but the issuer's."""

    issuer: str
    client_id: str
    method: str
    secret: str | None = None
    private_key: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class SignedIn:
    """What a library has made of it: the claims of the ID token that it validated, and userinfo."""

    claims: Mapping[str, Any]
    userinfo: Mapping[str, Any]


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    port = free_port()
    url = f"http://localhost:{port}"
    with azurite() as store, local_entra(url) as entra:
        store.create_tables(TABLE_NAMES)
        with (
            functions_host(settings(url, entra, store.connection_string), port=port, settings=HOST),
            Story.at(url, entra) as story,
        ):
            story.begin().except_for(CAROL)
            yield Stack(url, entra.http, story)


@pytest.fixture
def client(stack: Stack, method: str) -> Client:
    """A client that is registered with `method`."""
    client_id = method.replace("_", "-")
    profile = {"redirectUris": [REDIRECT_URI], "tokenEndpointAuthMethod": method}
    if method == "private_key_jwt":
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        public, private = (RSAAlgorithm.to_jwk(half, as_dict=True) for half in (key.public_key(), key))
        profile["assertionAudience"] = "token_endpoint"  # Authlib names it; others name the issuer, which is as good
        register(stack, client_id, **profile, jwks={"keys": [{**public, "kid": "1"}]})
        return Client(stack.url, client_id, method, private_key={**private, "kid": "1"})
    secret = register(stack, client_id, **profile)
    return Client(stack.url, client_id, method, secret)


def register(stack: Stack, client_id: str, **profile: Any) -> str | None:
    """Register an application; its secret, if it has one."""
    path = f"/v1/applications/{client_id}"
    document = {"name": client_id, "ssoSupported": True, **profile}
    known = stack.story.call("operator", "GET", path).is_success
    stack.story.must("operator", "PUT", path, json=document, etag="*" if known else None)
    if not profile["tokenEndpointAuthMethod"].startswith("client_secret"):
        return None
    return str(stack.story.must("operator", "POST", f"{path}/secret", etag="*")["clientSecret"])


class PersonsBrowser(Browser):
    """Comes to a stop where an application that does not run would take over."""

    def send(self, method: str, url: str, data: Mapping[str, str]) -> httpx.Response:
        if url.startswith(REDIRECT_URI):
            return httpx.Response(200, request=httpx.Request(method, url))
        return super().send(method, url, data)

    def sign_in(self, page: Page, email: str) -> Page:
        """Fill in Microsoft's page."""
        return self.submit(page, page.forms[0], {"email": email, "password": PASSWORD, "action": "sign_in"})


def brought_back(url: str) -> str:
    """Follow a client's address and sign Alice in at Microsoft; the address to which the browser comes back."""
    with PersonsBrowser() as browser:
        page = browser.sign_in(browser.open(url), ALICE)
    assert page.url.startswith(f"{REDIRECT_URI}?"), page.html
    return page.url


async def with_authlib(client: Client) -> SignedIn:
    """Authlib, of Python."""
    app = OAuth().register(
        "service",
        client_id=client.client_id,
        client_secret=RSAKey.import_key(dict(client.private_key)) if client.private_key else client.secret,
        server_metadata_url=f"{client.issuer}/.well-known/openid-configuration",
        client_auth_methods=[PrivateKeyJWT(headers={"kid": "1"})] if client.private_key else None,
        client_kwargs={
            "scope": "openid email profile",
            "code_challenge_method": "S256",
            "token_endpoint_auth_method": client.method,
            "trust_env": False,
        },
    )
    kept = await app.create_authorization_url(REDIRECT_URI, login_hint=ALICE)
    answer = dict(httpx.URL(brought_back(kept["url"])).params)
    assert answer["state"] == kept["state"]
    token = await app.fetch_access_token(REDIRECT_URI, code=answer["code"], code_verifier=kept["code_verifier"])
    claims = await app.parse_id_token(token, kept["nonce"])
    return SignedIn(claims, await app.userinfo(token=token))


async def with_openid_client(client: Client) -> SignedIn:
    """openid-client, of JavaScript."""
    return await asyncio.to_thread(run_openid_client, client)


def run_openid_client(client: Client, *, pushes: bool = False) -> SignedIn:
    """Talk to the script by lines, as it says."""
    asked = {
        "issuer": client.issuer,
        "clientId": client.client_id,
        "redirectUri": REDIRECT_URI,
        "loginHint": ALICE,
        "method": client.method,
        "secret": client.secret,
        "privateKey": client.private_key,
        "pushes": pushes,
    }
    script = Path(__file__).parent / "js" / "sign-in.mjs"
    with subprocess.Popen(
        ["node", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, bufsize=1
    ) as node:
        assert node.stdin is not None
        assert node.stdout is not None
        node.stdin.write(json.dumps(asked) + "\n")
        line = node.stdout.readline()
        assert line, node.communicate()[1]
        url = json.loads(line)["url"]
        assert not pushes or httpx.URL(url).params.keys() == {"client_id", "request_uri"}
        out, faults = node.communicate(brought_back(url) + "\n", timeout=30)
    assert node.returncode == 0, faults
    return SignedIn(**json.loads(out))


type Library = Callable[[Client], Awaitable[SignedIn]]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("library", [with_authlib, with_openid_client])
async def test_a_foreign_library_signs_a_person_in_through_discovery_alone(library: Library, client: Client) -> None:
    signed_in = await library(client)
    names = {"name": "Alice Archer", "given_name": "Alice", "family_name": "Archer", "preferred_username": ALICE}
    told = {"email": ALICE, "email_verified": True, **names}
    expected = {"iss": client.issuer, "aud": client.client_id, "account_id": "contoso", "tid": CONTOSO, **told}
    assert {name: signed_in.claims[name] for name in expected} == expected
    assert signed_in.userinfo == {"sub": signed_in.claims["sub"], **told}


@pytest.mark.parametrize("method", ["private_key_jwt"])
async def test_a_foreign_library_pushes_its_request(client: Client) -> None:
    """By openid-client: the address for the browser carries a name and nothing else."""
    signed_in = await asyncio.to_thread(run_openid_client, client, pushes=True)
    assert (signed_in.claims["aud"], signed_in.claims["email"]) == (client.client_id, ALICE)


@pytest.fixture(scope="module")
def anymeeting(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The sample application, registered as `make run` does it."""
    ports = Ports(app=httpx.URL(stack.url).port or 0, sample=free_port())
    profile = demo_data.applications(LocalStack(ports, FUNCTION_KEY))["anymeeting"]
    secret = register(stack, "anymeeting", **profile)
    command = [sys.executable, "-m", "local.sample_app", "--port", str(ports.sample), "--issuer", stack.url]
    log = tmp_path_factory.mktemp("anymeeting") / "log"
    with running("AnyMeeting", command, log, {"SAMPLE_CLIENT_SECRET": secret}) as child:
        child.wait_until(lambda: listens(ports.sample), 30)
        yield f"http://localhost:{ports.sample}"


@pytest.fixture
def browser() -> Iterator[PersonsBrowser]:
    with PersonsBrowser() as opened:
        yield opened


@pytest.fixture
def greeting(anymeeting: str, browser: PersonsBrowser) -> Page:
    """What Alice sees after she has typed her address in AnyMeeting and signed in at Microsoft."""
    page = browser.open(anymeeting)
    return browser.sign_in(browser.submit(page, page.forms[0], {"email": ALICE}), ALICE)


def test_anymeeting_greets_who_signs_in_at_microsoft(anymeeting: str, greeting: Page) -> None:
    assert (greeting.url, greeting.title) == (f"{anymeeting}/", "Hello Alice Archer - AnyMeeting")
    assert f"<strong>{ALICE}</strong>" in greeting.html


def test_who_types_no_address_in_anymeeting_is_asked_by_the_service(
    stack: Stack, anymeeting: str, browser: PersonsBrowser
) -> None:
    page = browser.open(anymeeting)
    page = browser.submit(page, page.forms[0], {"email": ""})
    assert (page.url.partition("?")[0], page.title) == (f"{stack.url}/oauth2/authorize", "Sign in to AnyMeeting")
    page = browser.sign_in(browser.submit(page, page.forms[0], {"login_hint": ALICE}), ALICE)
    assert page.title == "Hello Alice Archer - AnyMeeting"


def test_an_exception_lands_on_anymeetings_password_page(anymeeting: str, browser: PersonsBrowser) -> None:
    page = browser.open(anymeeting)
    page = browser.submit(page, page.forms[0], {"email": CAROL})
    assert (page.url.partition("?")[0], page.title) == (
        f"{anymeeting}/password",
        "The vendor's password page - AnyMeeting",
    )
    assert f"<strong>{CAROL}</strong>" in page.html


def test_who_picks_the_wrong_account_at_microsoft_is_told_so_and_tries_again(
    stack: Stack, anymeeting: str, greeting: Page
) -> None:
    with PersonsBrowser() as browser:
        page = browser.open(anymeeting)
        page = browser.sign_in(browser.submit(page, page.forms[0], {"email": ALICE}), BOB)
        assert (page.status, page.title) == (403, "You signed in as somebody else")
        again, _ = links_of(page)
        assert again.startswith(f"{stack.url}/oauth2/authorize?"), "although Alice is linked by now"
        page = browser.sign_in(browser.open(again), ALICE)
    assert page.title == greeting.title


def test_who_signs_out_of_anymeeting_is_signed_out_of_microsoft_too(
    stack: Stack, anymeeting: str, browser: PersonsBrowser, greeting: Page
) -> None:
    page = browser.submit(greeting, greeting.forms[0], {})
    assert page.url.startswith(f"{stack.entra}/"), page.html
    (onwards,) = links_of(page)
    page = browser.open(onwards)
    assert (page.url.partition("?")[0], page.title) == (f"{anymeeting}/signed-out", "Signed out - AnyMeeting")
    page = browser.open(anymeeting)
    assert page.title == "Sign in - AnyMeeting"
    page = browser.submit(page, page.forms[0], {"email": ALICE})
    assert "password" in page.forms[0].fields, "Microsoft does not know her any more"


def test_who_signs_out_at_microsoft_is_signed_out_of_anymeeting(
    stack: Stack, anymeeting: str, browser: PersonsBrowser, greeting: Page
) -> None:
    page = browser.open(f"{stack.entra}/{CONTOSO}/oauth2/v2.0/logout")
    (frame,) = re.findall('<iframe src="([^"]+)"', page.html)
    with Browser() as frames_own_cookies:
        assert frames_own_cookies.open(unescape(frame)).status == 200
    assert browser.open(anymeeting).title == "Sign in - AnyMeeting"


@pytest.mark.parametrize("token", ["", "no.logout.token", "eyJhbGciOiJub25lIn0.e30."])
def test_anymeeting_believes_no_logout_token_but_the_services(
    anymeeting: str, browser: PersonsBrowser, greeting: Page, token: str
) -> None:
    answer = browser.send("POST", f"{anymeeting}/backchannel-logout", {"logout_token": token})
    assert answer.status_code == 400
    assert browser.open(anymeeting).title == greeting.title


@pytest.mark.parametrize("query", ["code=forged&state=forged", "error=access_denied&error_description=No", ""])
def test_anymeeting_explains_an_answer_that_is_not_good(anymeeting: str, browser: PersonsBrowser, query: str) -> None:
    page = browser.open(f"{anymeeting}/signin?{query}")
    assert (page.status, page.title) == (400, "You are not signed in - AnyMeeting")


def links_of(page: Page) -> list[str]:
    """Where the links of a page go."""
    return [unescape(href) for href in re.findall('<a href="([^"]+)"', page.html)]
