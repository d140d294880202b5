"""A consent under way: its ticket, the state kept while a browser is at Microsoft, and where the browser goes next.

Values only. `consent` makes them and guides a browser from one to the next, and the edge shows them. The lasting record
is `connection`.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from shared.access.roles import Actor
from shared.flows.flows import Binding, Flow
from shared.kernel.names import AccountId, TenantId
from shared.kernel.refusals import Refusal
from shared.ports.record import Record

_TEN_MINUTES = timedelta(minutes=10)


class Ticket(Flow):
    """The right to open one integration in a browser."""

    kind: ClassVar[str] = "connect-ticket"
    lifetime: ClassVar[timedelta] = _TEN_MINUTES

    account_id: AccountId
    attempt_id: str
    actor: Actor
    return_url: str | None = None


class ProofLeg(Record):
    """The sign-in that proves a consent: its tenant, and what redeems and verifies Entra's response."""

    tenant_id: TenantId
    code_verifier: str
    nonce: str


class ConnectState(Flow):
    """The data behind our `state`: without a proof leg on the way to consent, with one on the way to sign-in."""

    kind: ClassVar[str] = "connect-state"
    lifetime: ClassVar[timedelta] = _TEN_MINUTES

    account_id: AccountId
    attempt_id: str
    actor: Actor
    return_url: str | None = None
    proof: ProofLeg | None = None


@dataclass(frozen=True, slots=True)
class Start:
    """A started integration: the handle of its ticket, and the time until which it can be opened."""

    ticket: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Invitation:
    """The facts that an administrator sees before going to Microsoft: the account to connect, and who asks."""

    account_name: str
    started_by: str


@dataclass(frozen=True, slots=True)
class ToMicrosoft:
    """The browser goes to Microsoft, bound to the flow that handles the response."""

    url: str
    binding: Binding


@dataclass(frozen=True, slots=True)
class Connected:
    """The account is connected, and the browser goes back to where the integration was started."""

    account_name: str
    tenant_name: str
    return_url: str | None


@dataclass(frozen=True, slots=True)
class NotConnected:
    """The integration failed: the reason, and where the browser may return."""

    refusal: Refusal
    return_url: str | None
