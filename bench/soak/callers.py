"""Who calls without a browser: applications that resolve, probes, and those who send what makes no sense."""

from collections.abc import Callable, Mapping
from functools import partial
from itertools import cycle
from typing import Any, Final

from bench.soak.world import EXCEPTED, PEOPLE, PUBLIC, World, expected
from local.cast.stack import FUNCTION_KEY

_IN_TURN: Final = 60
"""So many colleagues are resolved in turn, and so many domains that nobody has: each is forgotten until it is due."""


def resolving(here: World) -> Mapping[str, Callable[[], object]]:
    """Applications that ask how somebody signs in."""
    colleagues, domains = cycle(range(_IN_TURN)), cycle(range(_IN_TURN))

    def known() -> None:
        here.resolve(f"colleague-{next(colleagues)}@contoso.example", "sso")

    def unknown() -> None:
        here.resolve(f"somebody@unknown-{next(domains)}.example", "password")

    return {
        "resolve from the cache": lambda: here.resolve(PEOPLE[0], "sso"),
        "resolve a known account": known,
        "resolve an exception": lambda: here.resolve(EXCEPTED, "password"),
        "resolve an unknown domain": unknown,
    }


def resolving_cold(here: World) -> Mapping[str, Callable[[], object]]:
    """An application whose customer signs in so seldom that nothing is in memory any more."""
    return {"resolve cold": lambda: here.resolve("nora@northwind.example", "sso")}


def probing(here: World) -> Mapping[str, Callable[[], object]]:
    """What asks whether the service is well, and what it publishes."""
    paths = (
        "/health",
        "/oauth2/jwks",
        "/.well-known/openid-configuration",
        "/openapi.json",
        "/panel/azure-sso-panel.js",
    )
    return {f"GET {path}": partial(here.ask, "GET", path) for path in paths}


def disturbing(here: World) -> Mapping[str, Callable[[], object]]:
    """What is refused: malformed, unauthorized, or of nobody."""
    account, key = "/v1/accounts/contoso", {"x-functions-key": FUNCTION_KEY}
    forged = {"Authorization": "Bearer eyJhbGciOiJub25lIn0.e30."}
    code = {"grant_type": "authorization_code", "client_id": PUBLIC, "code": "x" * 57, "redirect_uri": "https://x"}
    renewal = {"grant_type": "refresh_token", "client_id": PUBLIC, "refresh_token": "x" * 80}
    bodies: Mapping[str, tuple[str, str, int, Mapping[str, Any]]] = {
        "resolve without a key": ("POST", "/v1/resolve", 401, {"json": {}}),
        "resolve no address": ("POST", "/v1/resolve", 422, {"json": {"email": "x"}, "headers": key}),
        "resolve no JSON": (
            "POST",
            "/v1/resolve",
            400,
            {"content": "{", "headers": key | {"Content-Type": "application/json"}},
        ),
        "a forged token": ("GET", f"{account}/policy", 401, {"headers": forged}),
        "no such path": ("GET", "/v1/nothing", 404, {}),
        "an unknown client": ("GET", "/oauth2/authorize?client_id=nobody", 400, {}),
        "an unknown code": ("POST", "/oauth2/token", 400, {"data": code}),
        "an unknown refresh token": ("POST", "/oauth2/token", 400, {"data": renewal}),
        "an unknown state": ("GET", "/signin/callback?state=x&code=y", 400, {}),
        "an unknown link": ("GET", f"/connect/{'x' * 43}", 404, {}),
    }

    def sent(method: str, path: str, status: int, more: Mapping[str, Any]) -> Callable[[], object]:
        return lambda: here.ask(method, path, status, **more)

    moves = {name: sent(*request) for name, request in bodies.items()}
    manager = here.managers["contoso"]

    def stale() -> None:
        answer = manager("PATCH", f"{account}/policy", etag='"1"', json={"mode": "on"})
        expected(answer, 412)

    def foreign() -> None:
        expected(manager("GET", "/v1/accounts/northwind/policy"), 403)

    return moves | {"a stale change": stale, "another's account": foreign}
