"""Health: which parts answer."""

from typing import Literal

from azure.functions import HttpRequest, HttpResponse

from functions.edge.answers import document
from functions.edge.models import Document
from functions.edge.routing import Caller, Routes
from shared.wiring import Services


class HealthDocument(Document):
    """`ok` with status 200 if every part answers, else `degraded` with 503."""

    status: Literal["ok", "degraded"]
    parts: dict[str, Literal["ok", "down"]]


def health_routes(services: Services) -> Routes:
    """The call that load balancers make."""
    routes = Routes("health")

    @routes.add("GET", "/health", caller=Caller.ANYBODY, gives=HealthDocument)
    async def get_health(_req: HttpRequest) -> HttpResponse:
        """Say which parts answer."""
        return _told(await services.health.ask())

    return routes


def _told(answers: dict[str, bool]) -> HttpResponse:
    well = all(answers.values())
    told = HealthDocument(
        status="ok" if well else "degraded",
        parts={part: "ok" if up else "down" for part, up in answers.items()},
    )
    return document(told, status=200 if well else 503)
