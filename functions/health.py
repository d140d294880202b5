"""Health: which parts of the service respond."""

from typing import Literal

from functions.http.cookies import BrowserCookies, with_cookies
from functions.http.endpoint import Routes
from functions.http.models import Document
from functions.http.responses import Down, NoContent, Ok
from functions.http.roles import Anybody
from shared.services import Services


class HealthDocument(Document):
    """`ok` if every part responds, else `degraded`; with status 503 if the store is down, so that nothing works."""

    status: Literal["ok", "degraded"]
    parts: dict[str, Literal["ok", "down"]]


def health_routes(services: Services, *, cookies_work: bool | None = None) -> Routes:
    """The endpoints for load balancers and deployments.

    Args:
        services: the parts, each of which is probed.
        cookies_work: the finding of `functions.http.host_only`; None, if it could not check, leaves the part out.
    """
    routes = Routes("health", services.edge)
    probe = BrowserCookies(services.edge.cookie_prefix).probe
    found_at_start = {} if cookies_work is None else {"cookies": cookies_work}

    @routes.get("/health")
    async def get_health(_: Anybody) -> Ok[HealthDocument] | Down[HealthDocument]:
        """Report which parts respond."""
        return report(await services.health.ask() | found_at_start)

    @routes.get("/health/cookie")
    async def get_health_cookie(_: Anybody) -> NoContent:
        """Send an empty cookie like those of a sign-in, to show what reaches the browser."""
        return with_cookies(NoContent(), probe)

    return routes


def report(answers: dict[str, bool]) -> Ok[HealthDocument] | Down[HealthDocument]:
    """Report 503 only without the store. Without Entra or the control panel's issuer the service still resolves.

    Nor do rejected cookies count: they end every sign-in, but no other instance that a balancer picks would do better.
    """
    document = HealthDocument(
        status="ok" if all(answers.values()) else "degraded",
        parts={part: "ok" if up else "down" for part, up in answers.items()},
    )
    return Ok(document) if answers["storage"] else Down(document)
