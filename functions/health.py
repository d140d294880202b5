"""Health: which parts answer."""

from typing import Literal

from azure.functions import HttpRequest, HttpResponse

from functions.edge.answers import document, no_content
from functions.edge.cookies import BrowserCookies, with_cookies
from functions.edge.models import Document
from functions.edge.routing import Caller, Routes
from shared.assembly import Services


class HealthDocument(Document):
    """`ok` if every part answers, else `degraded`; with status 503 if nothing works, because the store is down."""

    status: Literal["ok", "degraded"]
    parts: dict[str, Literal["ok", "down"]]


def health_routes(services: Services, *, cookies_work: bool | None = None) -> Routes:
    """The calls of load balancers and of deployments.

    Args:
        services: the parts, each of which is probed.
        cookies_work: what `functions.edge.host_only` found; a part that is left out if it could not tell.
    """
    routes = Routes("health", services.edge.telemetry)
    probe = BrowserCookies(services.edge.cookie_prefix).probe
    found_at_start = {} if cookies_work is None else {"cookies": cookies_work}

    @routes.add("GET", "/health", caller=Caller.ANYBODY, gives={200: HealthDocument, 503: HealthDocument})
    async def get_health(_req: HttpRequest) -> HttpResponse:
        """Say which parts answer."""
        return _told(await services.health.ask() | found_at_start)

    @routes.add("GET", "/health/cookie", caller=Caller.ANYBODY, gives={204: None})
    async def get_health_cookie(_req: HttpRequest) -> HttpResponse:
        """Send a cookie like those of a sign-in, which holds nothing, to show what becomes of it on its way."""
        return with_cookies(no_content(), probe)

    return routes


def _told(answers: dict[str, bool]) -> HttpResponse:
    """Without Entra or the control panel's issuer the service still resolves: a balancer must not take it out.

    Nor where no browser keeps a cookie, which ends every sign-in, but no other instance would fare better.
    """
    told = HealthDocument(
        status="ok" if all(answers.values()) else "degraded",
        parts={part: "ok" if up else "down" for part, up in answers.items()},
    )
    return document(told, status=200 if answers["storage"] else 503)
