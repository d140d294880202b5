"""The audit trails of accounts and of applications: who changed what, and when."""

from pydantic import JsonValue

from functions.http.endpoint import Routes
from functions.http.models import Document, Moment
from functions.http.parameters import Page, Path
from functions.http.responses import Ok
from shared.access.roles import AccountReader, Operator
from shared.kernel.names import ClientId
from shared.services import Services


class AuditActor(Document):
    """The actor who made a change. Of a person who was erased, role and reference are left."""

    subject: str | None
    name: str | None
    role: str
    reference: str | None


class AuditEntry(Document):
    """One change."""

    at: Moment
    actor: AuditActor
    action: str
    details: dict[str, JsonValue]


class AuditDocument(Document):
    """A page of the trail, newest first. `continuationToken` gets the next page."""

    items: tuple[AuditEntry, ...]
    continuation_token: str | None


def audit_routes(services: Services) -> Routes:
    """The endpoints for audit trails."""
    routes = Routes("audit", services.edge)

    @routes.get("/v1/accounts/{accountId}/audit")
    async def list_audit(reader: AccountReader, page: Page) -> Ok[AuditDocument]:
        """List the changes of an account, newest first, in pages."""
        records, continuation = await services.accounts.journal.page(reader, *page)
        items = tuple(map(AuditEntry.model_validate, records))
        return Ok(AuditDocument(items=items, continuation_token=continuation))

    @routes.get("/v1/applications/{clientId}/audit")
    async def list_application_audit(operator: Operator, client_id: Path[ClientId], page: Page) -> Ok[AuditDocument]:
        """List the changes of an application, newest first, in pages."""
        records, continuation = await services.applications.page(operator, client_id, *page)
        items = tuple(map(AuditEntry.model_validate, records))
        return Ok(AuditDocument(items=items, continuation_token=continuation))

    return routes
