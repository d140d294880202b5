"""Cross-origin requests, as Azure's host answers them on Flex Consumption."""

import httpx
import pytest
from azure.functions import AuthLevel, FunctionApp, HttpRequest, HttpResponse

from local.host import HostSettings, create_host

PREFLIGHT = {
    "Origin": "https://panel.example",
    "Access-Control-Request-Method": "PATCH",
    "Access-Control-Request-Headers": "authorization,if-match",
}
ALLOWED = "access-control-allow-origin"


async def ask(method: str, headers: dict[str, str], *origins: str, credentials: bool = False) -> httpx.Response:
    """Ask an app that allows any origin itself, and has a route for OPTIONS, on a host that allows these."""
    app = FunctionApp()

    @app.route(route="thing", methods=["GET", "PATCH", "OPTIONS"], auth_level=AuthLevel.ANONYMOUS)
    async def thing(req: HttpRequest) -> HttpResponse:
        return HttpResponse(f"The app answered {req.method}.", headers={"Access-Control-Allow-Origin": "*"})

    settings = HostSettings(route_prefix="", cors_origins=origins, cors_credentials=credentials)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(create_host(app, settings)), base_url="https://sso.example"
    ) as client:
        return await client.request(method, "/thing", headers=headers)


async def test_the_host_answers_each_preflight_itself_and_an_allowed_origin_is_let_in() -> None:
    answer = await ask("OPTIONS", PREFLIGHT, "https://panel.example")
    assert (answer.status_code, answer.text) == (204, "")
    assert answer.headers[ALLOWED] == "https://panel.example"
    assert answer.headers["access-control-allow-methods"] == "PATCH"
    assert answer.headers["access-control-allow-headers"] == "authorization,if-match"


@pytest.mark.parametrize("origins", [(), ("https://other.example",)], ids=["empty list", "another origin"])
async def test_an_origin_that_is_not_listed_gets_the_same_answer_without_permission(origins: tuple[str, ...]) -> None:
    answer = await ask("OPTIONS", PREFLIGHT, *origins)
    assert (answer.status_code, answer.text) == (204, ""), "no route of the app is reached, with an empty list, too"
    assert [name for name in answer.headers if name.startswith("access-control")] == []


async def test_a_star_lets_every_origin_in_and_never_with_cookies() -> None:
    answer = await ask("OPTIONS", PREFLIGHT, "*", credentials=True)
    assert answer.headers[ALLOWED] == "*"
    assert "access-control-allow-credentials" not in answer.headers


async def test_the_host_writes_over_what_the_app_says_of_a_listed_origin_alone() -> None:
    listed = await ask("GET", {"Origin": "https://panel.example"}, "https://panel.example", credentials=True)
    assert (listed.text, listed.headers[ALLOWED]) == ("The app answered GET.", "https://panel.example")
    assert (listed.headers["vary"], listed.headers["access-control-allow-credentials"]) == ("Origin", "true")
    other = await ask("GET", {"Origin": "https://other.example"}, "https://panel.example")
    assert other.headers[ALLOWED] == "*", "the app's own word for the panel's script"


async def test_what_is_no_preflight_reaches_the_app() -> None:
    assert (await ask("OPTIONS", {"Origin": "https://panel.example"}, "*")).text == "The app answered OPTIONS."
    assert (await ask("GET", {})).text == "The app answered GET."
