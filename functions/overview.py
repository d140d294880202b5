"""Where an account stands, at a glance, as its control panel shows it first."""

from functions.http.endpoint import Routes
from functions.http.models import Document, Moment
from functions.http.responses import Ok
from shared.access.roles import AccountAdministrator, AccountReader
from shared.connection.connection import Status
from shared.domains.tenant_domains import DomainState
from shared.kernel.names import AccountId
from shared.overview import ApplicationOverview, Incompatible, NextStep, Overview
from shared.policies.policy import Mode
from shared.services import Services

_ACCOUNT = "/v1/accounts/{accountId}"


class TallyDocument(Document):
    """How many there are. `exact` is false for more than 1,000: then the number is an estimate."""

    count: int
    exact: bool


class OverviewDocument(Document):
    """Where an account stands. `mayChange` is whether the caller may change anything; `nextStep` what to do next.

    `modeSince` is when the mode last changed, if it is known. `domains` counts the tenant's domains by state.
    """

    account_id: AccountId
    name: str
    may_change: bool
    status: Status
    tenant_id: str | None
    tenant_name: str | None
    connected_by: str | None
    connected_at: Moment | None
    pending_until: Moment | None
    last_checked_at: Moment | None
    last_check_outcome: str | None
    mode: Mode
    mode_since: Moment | None
    domains: dict[DomainState, int]
    exceptions: TallyDocument
    links: TallyDocument
    next_step: NextStep | None


class ApplicationOverviewDocument(Document):
    """An application: whether SSO is in force there for the account's users, and why not.

    `incompatible` is why it cannot be, whatever the policy says.
    """

    client_id: str
    name: str
    sso_in_force: bool
    reason: str | None
    incompatible: Incompatible | None
    requires_product: str | None


class ApplicationOverviewsDocument(Document):
    """The vendor's applications, as an account sees them."""

    items: tuple[ApplicationOverviewDocument, ...]


def overview_routes(services: Services) -> Routes:
    """The endpoints for what a control panel shows first."""
    routes = Routes("overview", services.edge)

    @routes.get(_ACCOUNT + "/overview")
    async def get_overview(reader: AccountReader) -> Ok[OverviewDocument]:
        """Read where the account stands, and what to do next."""
        overview = await services.overviews.read(reader)
        return Ok(_document(overview, may_change=isinstance(reader, AccountAdministrator)))

    @routes.get(_ACCOUNT + "/applications")
    async def list_account_applications(reader: AccountReader) -> Ok[ApplicationOverviewsDocument]:
        """List the applications, and whether SSO is in force there for the account's users."""
        seen = await services.overviews.read_applications(reader)
        return Ok(ApplicationOverviewsDocument(items=tuple(map(_application, seen))))

    return routes


def _document(overview: Overview, *, may_change: bool) -> OverviewDocument:
    connection, policy = overview.connection, overview.policy
    consenter, check = connection.connected_by, connection.last_check
    return OverviewDocument(
        account_id=overview.account_id,
        name=overview.name,
        may_change=may_change,
        status=connection.status,
        tenant_id=connection.tenant_id,
        tenant_name=connection.tenant_name,
        connected_by=(consenter.name or consenter.subject) if consenter else None,
        connected_at=connection.connected_at,
        pending_until=connection.pending_until,
        last_checked_at=check.at if check else None,
        last_check_outcome=check.outcome if check else None,
        mode=policy.settings.mode,
        mode_since=policy.mode_since,
        domains=overview.domains,
        exceptions=TallyDocument.model_validate(overview.exceptions),
        links=TallyDocument.model_validate(overview.links),
        next_step=overview.next_step,
    )


def _application(seen: ApplicationOverview) -> ApplicationOverviewDocument:
    application = seen.application
    return ApplicationOverviewDocument(
        client_id=application.client_id,
        name=application.profile.name,
        sso_in_force=seen.in_force,
        reason=None if seen.in_force else seen.because,
        incompatible=seen.incompatible,
        requires_product=application.profile.requires_product,
    )
