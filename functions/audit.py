"""The audit trails of accounts and of applications: who changed what, and when."""

from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, JsonValue, StringConstraints, model_validator

from functions.http.endpoint import Routes
from functions.http.models import Document, Moment
from functions.http.parameters import Body, Page, Path
from functions.http.responses import Ok
from shared.access.roles import AccountReader, Operator
from shared.kernel.documents import Asked
from shared.kernel.names import AccountId, ClientId, EmailAddress
from shared.services import Services
from shared.trail.events import Person
from shared.trail.trail import Wanted
from shared.users.user_key import UserKey


class AuditKind(StrEnum):
    """The kinds of events of an account; see docs/events.md."""

    ACCOUNT = "account"
    CONNECTION = "connection"
    DOMAIN = "domain"
    EXCEPTION = "exception"
    LINK = "link"
    PERSON = "person"
    POLICY = "policy"
    PORTAL = "portal"


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


class AuditSearchBody(Asked):
    """What to look for: a `kind` of event, such as `exception`, and a person by `email` or by `reference`."""

    kind: AuditKind | None = None
    email: EmailAddress | None = None
    reference: Annotated[str, StringConstraints(min_length=1, max_length=64)] | None = None
    page_size: Annotated[int, Field(ge=1, le=1_000)] = 100
    continuation_token: str | None = None

    @model_validator(mode="after")
    def _one_person(self) -> Self:
        if self.email is not None and self.reference is not None:
            raise ValueError("Send either 'email' or 'reference'.")
        return self

    def wanted(self, account_id: AccountId) -> Wanted:
        """Return what to look for in this account."""
        person = Person(user_key=UserKey.of(account_id, self.email)) if self.email else None
        return Wanted(self.kind, person, frozenset({self.reference}) if self.reference else None)


def audit_routes(services: Services) -> Routes:
    """The endpoints for audit trails."""
    routes = Routes("audit", services.edge)

    @routes.get("/v1/accounts/{accountId}/audit")
    async def list_audit(reader: AccountReader, page: Page) -> Ok[AuditDocument]:
        """List the changes of an account, newest first, in pages."""
        records, continuation = await services.accounts.journal.page(reader, *page)
        items = tuple(map(AuditEntry.model_validate, records))
        return Ok(AuditDocument(items=items, continuation_token=continuation))

    @routes.post("/v1/accounts/{accountId}/audit/search")
    async def search_audit(reader: AccountReader, wanted: Body[AuditSearchBody]) -> Ok[AuditDocument]:
        """Look for the changes of one kind, or that name one person, newest first, in pages."""
        records, continuation = await services.accounts.journal.search(
            reader, wanted.wanted(reader.account_id), wanted.page_size, wanted.continuation_token
        )
        items = tuple(map(AuditEntry.model_validate, records))
        return Ok(AuditDocument(items=items, continuation_token=continuation))

    @routes.get("/v1/applications/{clientId}/audit")
    async def list_application_audit(operator: Operator, client_id: Path[ClientId], page: Page) -> Ok[AuditDocument]:
        """List the changes of an application, newest first, in pages."""
        records, continuation = await services.applications.page(operator, client_id, *page)
        items = tuple(map(AuditEntry.model_validate, records))
        return Ok(AuditDocument(items=items, continuation_token=continuation))

    return routes
