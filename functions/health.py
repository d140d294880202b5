"""Health: which parts answer."""

from typing import Literal

from azure.functions import HttpRequest, HttpResponse

from functions.edge.answers import document
from functions.edge.models import Document
from functions.edge.routing import Caller, Routes
from shared.assembly import Services


class HealthDocument(Document):
    """`ok` if every part answers, else `degraded`; with status 503 if nothing works, because the store is down."""

    status: Literal["ok", "degraded"]
    parts: dict[str, Literal["ok", "down"]]


def health_routes(services: Services) -> Routes:
    """The call that load balancers make."""
    routes = Routes("health", services.edge.telemetry)

    @routes.add("GET", "/health", caller=Caller.ANYBODY, gives={200: HealthDocument, 503: HealthDocument})
    async def get_health(_req: HttpRequest) -> HttpResponse:
        """Say which parts answer."""
        return _told(await services.health.ask())

    return routes


def _told(answers: dict[str, bool]) -> HttpResponse:
    """Without Entra or the control panel's issuer the service still resolves: a balancer must not take it out."""
    told = HealthDocument(
        status="ok" if all(answers.values()) else "degraded",
        parts={part: "ok" if up else "down" for part, up in answers.items()},
    )
    return document(told, status=200 if answers["storage"] else 503)
