"""Health: which parts answer."""

from typing import Literal

from functions.http.cookies import BrowserCookies, with_cookies
from functions.http.endpoint import Routes
from functions.http.models import Document
from functions.http.responses import Down, NoContent, Ok
from functions.http.roles import Anybody
from shared.assembly import Services


class HealthDocument(Document):
    """`ok` if every part answers, else `degraded`; with status 503 if nothing works, because the store is down."""

    status: Literal["ok", "degraded"]
    parts: dict[str, Literal["ok", "down"]]


def health_routes(services: Services, *, cookies_work: bool | None = None) -> Routes:
    """The calls of load balancers and of deployments.

    Args:
        services: the parts, each of which is probed.
        cookies_work: what `functions.http.host_only` found; a part that is left out if it could not tell.
    """
    routes = Routes("health", services.edge)
    probe = BrowserCookies(services.edge.cookie_prefix).probe
    found_at_start = {} if cookies_work is None else {"cookies": cookies_work}

    @routes.get("/health")
    async def get_health(_: Anybody) -> Ok[HealthDocument] | Down[HealthDocument]:
        """Say which parts answer."""
        return report(await services.health.ask() | found_at_start)

    @routes.get("/health/cookie")
    async def get_health_cookie(_: Anybody) -> NoContent:
        """Send a cookie like those of a sign-in, which holds nothing, to show what becomes of it on its way."""
        return with_cookies(NoContent(), probe)

    return routes


def report(answers: dict[str, bool]) -> Ok[HealthDocument] | Down[HealthDocument]:
    """Without Entra or the control panel's issuer the service still resolves: a balancer must not take it out.

    Nor where no browser keeps a cookie, which ends every sign-in, but no other instance would fare better.
    """
    document = HealthDocument(
        status="ok" if all(answers.values()) else "degraded",
        parts={part: "ok" if up else "down" for part, up in answers.items()},
    )
    return Ok(document) if answers["storage"] else Down(document)
