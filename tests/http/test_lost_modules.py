"""A deployment that lacks a module: each function that needs it says so in its own way, and the others work.

What is lost stands in a file that the finder of this app reads at each import, so that it can be found again.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from local import loopback
from local.cast.stack import FUNCTION_KEY, HOST, FunctionsHost, functions_host
from local.processes import ROOT
from tests.architecture.test_deployment import IN_DEVELOPMENT

APP = f"""
import sys
from pathlib import Path

LOST = Path(__file__).parent / "lost"


class Finder:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name in LOST.read_text().split():
            raise ModuleNotFoundError("the words of the error", name=name)


sys.meta_path.insert(0, Finder)
sys.path.append({str(ROOT)!r})
from functions.app import build_app
from shared.settings import read_settings
from shared.wiring import build_services

app = build_app(build_services(read_settings()))
"""


FORM = {"grant_type": "authorization_code", "client_id": "unite", "code": "c"}
LOST = {
    "functions.accounts": "a module of endpoints",
    "shared.provider.openid_provider": "a part",
    "jinja2": "a package",
}
BROKEN: dict[tuple[str, str], tuple[str, str, int]] = {
    ("GET", "/v1/accounts/acme"): ("get_account", "application/problem+json", 401),
    ("PUT", "/v1/accounts/acme"): ("put_account", "application/problem+json", 401),
    ("POST", "/oauth2/token"): ("redeem_code", "application/json", 503),
    ("POST", "/oauth2/revoke"): ("revoke_token", "application/json", 503),
    ("GET", "/oauth2/authorize"): ("authorize", "text/html", 400),
    ("GET", "/signed-out"): ("finish_sign_out", "text/html", 200),
    ("GET", "/v1/connect"): ("show_connect", "text/html", 400),
}
"""Requests whose functions need what is lost: function, type of its dialect, and status once it is there."""
SOUND = {("POST", "/v1/resolve"): 415, ("GET", "/health/cookie"): 204}
"""Requests whose functions do not, with their status."""


@pytest.fixture(scope="module")
def lost(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of what is lost, in the folder of the app."""
    return tmp_path_factory.mktemp("app") / "lost"


@pytest.fixture(scope="module")
def host(lost: Path) -> Iterator[FunctionsHost]:
    """The app, on a store that is not there."""
    lost.with_name("function_app.py").write_text(APP, encoding="utf-8")
    lost.with_name("host.json").write_text('{"version": "2.0", "extensions": {"http": {"routePrefix": ""}}}')
    lost.write_text(" ".join(LOST))
    with functions_host(IN_DEVELOPMENT, directory=lost.parent, settings=HOST) as running:
        yield running


@pytest.fixture
def client(host: FunctionsHost) -> Iterator[httpx.Client]:
    with loopback.client(base_url=host.url, headers={"x-functions-key": FUNCTION_KEY}) as opened:
        yield opened


def reference(response: httpx.Response) -> str:
    """The id that the response gives its reader for support."""
    if response.headers["content-type"].startswith("text/html"):
        (found,) = re.findall(r"<code>id (\S+)</code>", response.text)
        return str(found)
    document = response.json()
    return str(
        document["instance"].removeprefix("urn:uuid:") if "instance" in document else response.headers["x-request-id"]
    )


def test_what_is_lost_is_reported_by_its_own_functions_until_it_is_found_again(
    client: httpx.Client, host: FunctionsHost, lost: Path
) -> None:
    for _ in range(2):
        for (method, path), (function, media, _) in BROKEN.items():
            before = len(host.log())
            response = client.request(method, path, data=FORM)
            assert (path, response.status_code) == (path, 500)
            assert response.headers["content-type"].partition(";")[0] == media
            assert response.headers["cache-control"] == "no-store"
            logged = host.log()[before:]
            assert f"Executed '{function}' (Id={reference(response)}" in logged
            assert f"{function} failed: ModuleNotFoundError\n" in logged
            assert "Traceback" not in logged  # of the worker, with the words of the error
    for (method, path), status in SOUND.items():
        assert (path, client.request(method, path, data=FORM).status_code) == (path, status)
    assert "the words of the error" not in host.log().replace('ModuleNotFoundError("the words of the error", ', "")

    lost.write_text("")
    for (method, path), (_, media, status) in BROKEN.items():
        response = client.request(method, path, data=FORM)
        assert (path, response.status_code) == (path, status)
        assert response.headers["content-type"].partition(";")[0] == media
