"""What an account knows of its connection."""

from datetime import datetime
from enum import StrEnum

from shared.access.roles import Actor
from shared.accounts.head import HeadRecord
from shared.kernel.names import TenantId
from shared.ports.record import Record


class Status(StrEnum):
    """The life of a connection."""

    DISCONNECTED = "disconnected"
    PENDING = "pending"
    CONNECTED = "connected"
    CONSENT_REVOKED = "consent_revoked"


class Check(Record):
    """What a probe of the tenant found: `outcome` is `ok`, `consent_revoked` or `unreachable`."""

    at: datetime
    outcome: str
    detail: str


class Connection(HeadRecord):
    """The link between an account and a tenant; the default is none.

    `pending_until` is when a started integration will have expired; it is told beside any status, since a connected
    account may start again to renew its consent.
    """

    row = "connection"

    status: Status = Status.DISCONNECTED
    tenant_id: TenantId | None = None
    tenant_name: str | None = None
    connected_by: Actor | None = None
    connected_at: datetime | None = None
    pending_until: datetime | None = None
    last_check: Check | None = None

    def as_of(self, now: datetime) -> "Connection":
        """What it is at this moment: a started integration that nobody finished in time is none."""
        if self.pending_until is None or now < self.pending_until:
            return self
        lapsed = Status.DISCONNECTED if self.status is Status.PENDING else self.status
        return self.model_copy(update={"status": lapsed, "pending_until": None})
