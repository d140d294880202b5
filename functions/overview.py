"""An account at a glance, for the control panel: what is, what has to be done next, and the applications."""

from functions.http.endpoint import Routes
from functions.http.models import Document, Moment
from functions.http.responses import Ok
from shared.access.roles import AccountAdministrator
from shared.assembly import Services
from shared.connection.connection import Status
from shared.domains.tenant_domains import DomainState
from shared.overview.next_steps import What, Who
from shared.overview.overviews import Bar, Overview
from shared.policies.policy import Mode, WhenConnectionFails

_ACCOUNT = "/v1/accounts/{accountId}"


class OverviewCheck(Document):
    """The last probe of the tenant."""

    at: Moment
    outcome: str


class OverviewConnection(Document):
    """The connection in short; GET …/connection has all of it."""

    status: Status
    tenant_name: str | None
    connected_by: str | None
    connected_at: Moment | None
    pending_until: Moment | None
    last_check: OverviewCheck | None


class OverviewPolicy(Document):
    """The policy in short. `modeSince` is when the mode was last switched, if it ever was."""

    mode: Mode
    mode_since: Moment | None
    mode_by: str | None
    when_connection_fails: WhenConnectionFails
    updated_at: Moment | None
    updated_by: str | None


class OverviewDomains(Document):
    """How many domains are in each state, and when they were read from the tenant."""

    counts: dict[DomainState, int]
    read_at: Moment | None


class OverviewCount(Document):
    """A number of entries; with `more`, there are at least so many."""

    count: int
    more: bool


class OverviewExceptions(OverviewCount):
    """How many of the counted exceptions are in force, and how many of these end within 14 days."""

    in_force: int
    ending_soon: int


class NextStep(Document):
    """Who must do what next."""

    who: Who
    what: What


class OverviewDocument(Document):
    """The account at this moment. `next` begins with what is most urgent."""

    account_name: str
    connection: OverviewConnection
    policy: OverviewPolicy
    domains: OverviewDomains
    exceptions: OverviewExceptions
    links: OverviewCount
    next: tuple[NextStep, ...]


class ApplicationInAccount(Document):
    """An application. `because` is why SSO is not in force there for this account, and null if it is."""

    client_id: str
    name: str
    requires_product: str | None
    because: Bar | None


class ApplicationsInAccount(Document):
    """The vendor's applications."""

    items: tuple[ApplicationInAccount, ...]


def overview_routes(services: Services) -> Routes:
    """The endpoints that a control panel shows first."""
    routes = Routes("overview", services.edge)

    @routes.get(_ACCOUNT + "/overview")
    async def get_overview(administrator: AccountAdministrator) -> Ok[OverviewDocument]:
        """Read the account at a glance, and what has to be done next."""
        return Ok(_document(await services.overviews.read(administrator)))

    @routes.get(_ACCOUNT + "/applications")
    async def list_account_applications(administrator: AccountAdministrator) -> Ok[ApplicationsInAccount]:
        """List the applications, and whether SSO is in force in each for this account."""
        found = await services.overviews.read_applications(administrator)
        return Ok(ApplicationsInAccount(items=tuple(map(ApplicationInAccount.model_validate, found))))

    return routes


def _document(overview: Overview) -> OverviewDocument:
    connection, policy = overview.connection, overview.policy
    by = connection.connected_by
    check = connection.last_check
    return OverviewDocument(
        account_name=overview.account_name,
        connection=OverviewConnection(
            status=connection.status,
            tenant_name=connection.tenant_name if connection.tenant else None,
            connected_by=(by.name or by.subject) if by and connection.tenant else None,
            connected_at=connection.connected_at if connection.tenant else None,
            pending_until=connection.pending_until,
            last_check=OverviewCheck.model_validate(check) if check and connection.tenant else None,
        ),
        policy=OverviewPolicy(
            mode=policy.settings.mode,
            mode_since=policy.mode_since,
            mode_by=policy.mode_by,
            when_connection_fails=policy.settings.when_connection_fails,
            updated_at=policy.updated_at,
            updated_by=policy.updated_by,
        ),
        domains=OverviewDomains(counts=overview.domains, read_at=overview.domains_read_at),
        exceptions=OverviewExceptions.model_validate(overview.exceptions),
        links=OverviewCount.model_validate(overview.links),
        next=tuple(map(NextStep.model_validate, overview.next)),
    )
