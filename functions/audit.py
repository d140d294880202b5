"""The audit trails of accounts and of applications: who changed what, and when."""

from azure.functions import HttpRequest, HttpResponse
from pydantic import JsonValue

from functions.edge.answers import document
from functions.edge.callers import Callers
from functions.edge.models import Document, Moment
from functions.edge.requests import client_id, page_of
from functions.edge.routing import Routes
from shared.assembly import Services


class AuditActor(Document):
    """Who made a change."""

    subject: str
    name: str | None
    role: str


class AuditEntry(Document):
    """One change."""

    at: Moment
    actor: AuditActor
    action: str
    details: dict[str, JsonValue]


class AuditDocument(Document):
    """A page of the trail, the newest first; `continuationToken` asks for the next one."""

    items: tuple[AuditEntry, ...]
    continuation_token: str | None


def audit_routes(services: Services) -> Routes:
    """The calls on audit trails."""
    routes = Routes("audit", services.edge.telemetry)
    callers = Callers(services.edge.access_tokens)

    @routes.add(
        "GET",
        "/v1/accounts/{accountId}/audit",
        gives={200: AuditDocument},
        parameters=("pageSize", "continuationToken"),
    )
    async def list_audit(req: HttpRequest) -> HttpResponse:
        """Page through the changes, the newest first."""
        administrator = await callers.administrator(req)
        records, continuation = await services.accounts.journal.page(administrator, *page_of(req))
        items = tuple(map(AuditEntry.model_validate, records))
        return document(AuditDocument(items=items, continuation_token=continuation))

    @routes.add(
        "GET",
        "/v1/applications/{clientId}/audit",
        gives={200: AuditDocument},
        parameters=("pageSize", "continuationToken"),
    )
    async def list_application_audit(req: HttpRequest) -> HttpResponse:
        """Page through the changes of an application, the newest first."""
        await callers.operator(req)
        records, continuation = await services.applications.page(client_id(req), *page_of(req))
        items = tuple(map(AuditEntry.model_validate, records))
        return document(AuditDocument(items=items, continuation_token=continuation))

    return routes
