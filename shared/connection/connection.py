"""The record of an account's connection, and its states.

```mermaid
stateDiagram-v2
    [*] --> disconnected
    disconnected --> pending: start
    pending --> disconnected: cancelled by disconnect, or expired
    pending --> connected: consent proven
    connected --> connected: consent renewed
    connected --> consent_revoked: a check finds no consent
    consent_revoked --> connected: a check finds it again, or it is renewed
    connected --> disconnected: disconnect
    consent_revoked --> disconnected: disconnect
```

`pending` is never stored: a disconnected account with an `attempt` under way is pending. An attempt beside another
status changes nothing until it is proven. A refusal ends one browser's try, and no attempt. `consent` makes
connections, `checks` moves between connected and revoked, and `disconnection` ends them.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import Field

from shared.access.roles import Actor
from shared.accounts.head import HeadRecord
from shared.kernel.documents import Asked
from shared.kernel.names import TenantId
from shared.kernel.refusals import Conflict
from shared.ports.record import Record
from shared.trail.events import Event, Person, ShownAs


class Status(StrEnum):
    """The status of a connection."""

    DISCONNECTED = "disconnected"
    PENDING = "pending"
    CONNECTED = "connected"
    CONSENT_REVOKED = "consent_revoked"


class Check(Record):
    """The result of a probe of the tenant: `outcome` is `ok`, `unconfirmed`, `consent_revoked` or `unreachable`."""

    at: datetime
    outcome: str
    detail: str


class OwnPrincipal(Record):
    """This service in the tenant: its object id there, and its client id."""

    object_id: str
    app_id: str


class Attempt(Record):
    """An integration that was started, and is under way until it is finished, cancelled or expired.

    `by` is the name in row keys (`Person.known_as`) of who started it; None if that was not stored yet.
    """

    attempt_id: str
    until: datetime
    by: str | None = None


class Try(Record):
    """One press of a start link's button: its own id, and the attempt that it belongs to."""

    attempt_id: str
    try_id: str


class Connection(HeadRecord):
    """The link between an account and a tenant; the default is none.

    Any status may have an `attempt` beside it, since a connected account may start again to renew its consent. Of
    several attempts only the newest counts, beside those of setup links. `made_by` is the try that made the connection,
    whose browser may reload the page. `doubted_at` is when Graph first refused a token that Entra still issues: the
    consent counts as revoked only after a second refusal some time later. `service_principal` is this service in the
    tenant, for links to its pages in Entra; None in rows from before it was stored. `keep_people`: a Security Manager
    has said that an address of an earlier tenant means the same person in this one; see `shared.users.people`.
    """

    row = "connection"

    status: Status = Status.DISCONNECTED
    tenant_id: TenantId | None = None
    tenant_name: str | None = None
    service_principal: OwnPrincipal | None = None
    connected_by: Actor | None = None
    connected_at: datetime | None = None
    attempt: Attempt | None = None
    made_by: Try | None = None
    last_check: Check | None = None
    doubted_at: datetime | None = None
    keep_people: bool = False

    @property
    def tenant(self) -> TenantId | None:
        """The account's tenant, whether connected or with its consent revoked; else None."""
        return self.tenant_id if self.status in {Status.CONNECTED, Status.CONSENT_REVOKED} else None

    @property
    def pending_until(self) -> datetime | None:
        """The time until which a started integration can be finished."""
        return self.attempt.until if self.attempt else None

    def is_at(self, attempt_id: str, now: datetime) -> bool:
        """Whether this attempt is the one that counts. However late its last try was begun, it ends when it expires."""
        attempt = self.attempt
        return attempt is not None and attempt.attempt_id == attempt_id and now < attempt.until

    def as_of(self, now: datetime, *others: Attempt) -> "Connection":
        """The connection at this time: an attempt makes a disconnected account pending, until the attempt expires.

        Args:
            now: the time.
            others: attempts of setup links, which count beside its own.
        """
        under_way = [each for each in (self.attempt, *others) if each is not None and now < each.until]
        if not under_way:
            return self.model_copy(update={"attempt": None})
        pending = Status.PENDING if self.status is Status.DISCONNECTED else self.status
        return self.model_copy(update={"status": pending, "attempt": max(under_way, key=lambda each: each.until)})


class ConnectionSettings(Asked):
    """The settings of a connection. They end with it."""

    keep_people: bool = False


def connected_tenant(connection: Connection) -> TenantId:
    """The connected tenant.

    Raises:
        Conflict: there is none.
    """
    if connection.tenant is None:
        raise Conflict("This account is not connected. Start the Azure integration first.")
    return connection.tenant


class ConnectionStarted(Event):
    """An integration was started, and waits for an administrator. `setupLink` is the id of a setup link."""

    action = "connection.started"

    setup_link: str | None = None
    expires_at: datetime | None = None


class ConnectionRefused(Event):
    """A try to connect was refused; the link can be used again. `reason` is the type of the refusal."""

    action = "connection.refused"

    reason: str
    explanation: str
    setup_link: str | None = None


class Consenter(Record):
    """The administrator who consented for the tenant."""

    oid: str
    name: str | None


class ConnectionConnected(Event):
    """An integration was completed: the account is connected. `domains` has the states of up to 100 of its domains."""

    action = "connection.connected"

    tenant_id: TenantId
    tenant_name: str
    consented_by: Annotated[Person, ShownAs({"oid": "oid", "name": "name"}, inside=True)]
    domains: Mapping[str, str]
    domain_counts: Mapping[str, int] = Field(default_factory=dict)
    setup_link: str | None = None

    @classmethod
    def of_before(cls, details: Mapping[str, Any]) -> Self:
        """See the base: the person's tenant stands beside them."""
        before = super().of_before(details)
        consenter = before.consented_by.model_copy(update={"tid": before.tenant_id})
        return before.model_copy(update={"consented_by": consenter})


class ConnectionChanged(Event):
    """`keepPeople` was switched. `links` is how many links of earlier tenants are left; null where it was not asked."""

    action = "connection.changed"

    keep_people: bool
    tenant_id: TenantId | None
    links: int | None


class ConnectionChecked(Event):
    """The tenant was probed. `outcome` is that of `Check`. `domainsLeft` names up to 100 domains that have left it."""

    action = "connection.checked"

    outcome: str | None
    domains_left: tuple[str, ...] = ()
    domains_left_count: int = 0


class _TenantLeft(Event):
    tenant_id: TenantId | None


class ConnectionDisconnected(_TenantLeft):
    """The account has left the tenant."""

    action = "connection.disconnected"


class AccountClosed(_TenantLeft):
    """An operator removes the account, which has left its tenant. Its trail is removed, too."""

    action = "account.closed"
