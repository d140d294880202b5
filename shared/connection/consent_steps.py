"""A consent under way: its ticket, the state of each try, and where the browser goes next.

Values only. `consent` makes them and guides a browser from one to the next, and the edge shows them. The lasting record
is `connection`.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import ClassVar

from shared.access.roles import Actor
from shared.connection.connection import Connection, Consenter, Try
from shared.connection.proof import may_be_late
from shared.flows.flows import Binding, Flow, FlowEnded
from shared.kernel.names import AccountId, TenantId
from shared.kernel.refusals import Refusal, Throttled, Unavailable
from shared.ports.record import Record

_TEN_MINUTES = timedelta(minutes=10)

_MOST_PRESSES = 100
_MOST_SIGN_INS = 10
"""Rows that one link, and one consent, can add to the table: far more than people need, and an end to what hammers."""

_LEAST, _LEAST_TO_SIGN_IN, _MOST = timedelta(seconds=1), timedelta(seconds=5), timedelta(seconds=30)
"""Until Microsoft is asked again: at first, where the person has to sign in for it, and at last."""

_OVER = "This try is over. Open the link again, or start again from the control panel."

_SHARED = timedelta(seconds=30)
"""How long another fetch of the same answer waits for the one that redeems its code, before it gives that one up."""


class AskedTenant(Record):
    """The tenant that an integration was started for: its id, and how the Security Manager named it."""

    tenant_id: TenantId
    named: str


class Ticket(Flow):
    """The right to begin tries of one integration, in any browser, until it is finished, cancelled or expired."""

    kind: ClassVar[str] = "connect-ticket"
    lifetime: ClassVar[timedelta] = _TEN_MINUTES

    account_id: AccountId
    attempt_id: str
    actor: Actor
    return_url: str | None = None
    tenant: AskedTenant | None = None
    presses: int = 0

    def pressed(self) -> "Ticket":
        """The ticket after one more press of its button.

        Raises:
            Throttled: there were too many.
        """
        if self.presses >= _MOST_PRESSES:
            raise Throttled("This link was opened too often. Start again from the control panel.", 60)
        return self.model_copy(update={"presses": self.presses + 1})


class ProofLeg(Record):
    """The sign-in that proves a consent: its tenant, and what redeems and verifies Entra's response."""

    tenant_id: TenantId
    code_verifier: str
    nonce: str


@dataclass(frozen=True, slots=True)
class Fetch:
    """A browser that brings an answer, or opens the link: the state's handle, its secret, and a name for this fetch."""

    handle: str
    browser: str | None
    by: str


class Turn(Record):
    """The fetch of an answer that redeems its code, and since when. Others wait for it."""

    by: str
    at: datetime


class ConnectState(Flow):
    """One browser's try, behind our `state`: without a proof leg on the way to consent, with one on the way to sign-in.

    It stays until it expires, so that an answer can come twice and a page can be reloaded. `link` is the name of the
    ticket, which does not reveal it. `consented` is the tenant that the consent named, `proven` the administrator whose
    sign-in was verified. `waits_since` is when Microsoft was first found late, and `asks_at` when it is asked again.
    """

    kind: ClassVar[str] = "connect-state"
    lifetime: ClassVar[timedelta] = _TEN_MINUTES

    account_id: AccountId
    attempt_id: str
    actor: Actor
    return_url: str | None = None
    tenant_id: TenantId | None = None
    link: str = ""
    try_id: str = ""
    sign_ins: int = 0
    consented: TenantId | None = None
    proof: ProofLeg | None = None
    turn: Turn | None = None
    proven: Consenter | None = None
    waits_since: datetime | None = None
    asks_at: datetime | None = None
    refused: bool = False

    @property
    def made(self) -> Try:
        """The try, as the connection that it makes remembers it."""
        return Try(attempt_id=self.attempt_id, try_id=self.try_id)

    def has_made(self, connection: Connection) -> bool:
        """Whether this try made the connection."""
        return bool(self.try_id) and connection.made_by == self.made

    def answered(self, by: str, now: datetime) -> "ConnectState":
        """The state after an answer of Microsoft's. One to a consent begins a sign-in.

        One to a sign-in can be fetched several times: the first fetch gets the turn to redeem its code. If nothing has
        come of that, the turn is given up, and Microsoft counts as late.

        Raises:
            FlowEnded: this try was refused, or has begun too many sign-ins.
        """
        if self.refused:
            raise FlowEnded(self, _OVER)
        if self.proof is None:
            return self.signing_in()
        if self.proven is not None or self.is_being_redeemed(now):
            return self
        given_up = {} if self.turn is None else {"waits_since": self.waits_since or now}
        return self.model_copy(update={"turn": Turn(by=by, at=now), **given_up})

    def is_being_redeemed(self, now: datetime) -> bool:
        """Whether a fetch of the answer is redeeming its code."""
        return self.turn is not None and now - self.turn.at < _SHARED

    def stopped(self, refusal: Refusal, now: datetime, consented: TenantId | None) -> "ConnectState":
        """The state after a refusal, which is final only if it is a clear no: else Microsoft is asked again later.

        Raises:
            FlowEnded: this try was refused before.
        """
        if self.refused:
            raise FlowEnded(self, _OVER)
        since = self.waits_since or now
        asked_before = self.waits_since is not None
        if not may_be_late(refusal, now - since, asked_before=asked_before):
            return self.model_copy(update={"refused": True})
        least = _LEAST if self.proven else _LEAST_TO_SIGN_IN
        waits = {
            "waits_since": since,
            "asks_at": now + min(max(least, (now - since) / 2), _MOST),
            "turn": None,
            "consented": self.consented or consented,
        }
        return self.model_copy(update=waits)

    def waiting(self, now: datetime, refusal: Refusal | None = None) -> "Waiting":
        """The page that asks again; without a refusal, because it is not time yet, or another fetch is at work."""
        seconds = 1 if self.asks_at is None else max(1, ceil((self.asks_at - now).total_seconds()))
        why = refusal or Unavailable("Microsoft is not ready yet. Open the link again to go on.", seconds)
        return Waiting(why, self.link, seconds, self.return_url)

    def signing_in(self) -> "ConnectState":
        """The state after one more sign-in was begun from it.

        Raises:
            FlowEnded: there were too many.
        """
        if self.sign_ins >= _MOST_SIGN_INS:
            raise FlowEnded(self, _OVER)
        return self.model_copy(update={"sign_ins": self.sign_ins + 1})


@dataclass(frozen=True, slots=True)
class Start:
    """A started integration: the handle of its ticket, until when it can be opened, and the id of a setup link."""

    ticket: str
    expires_at: datetime
    link_id: str | None


@dataclass(frozen=True, slots=True)
class Invitation:
    """The facts that an administrator sees before going to Microsoft: the account to connect, and who asks."""

    account_name: str
    started_by: str
    tenant: AskedTenant | None


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
    link: str
    return_url: str | None


@dataclass(frozen=True, slots=True)
class Waiting:
    """Microsoft does not know of the consent yet, or does not respond: ask again in so many seconds."""

    refusal: Refusal
    link: str
    again_in: int
    return_url: str | None


@dataclass(frozen=True, slots=True)
class NotConnected:
    """The try was refused: the reason, the link to begin another one, and where the browser may return."""

    refusal: Refusal
    link: str
    return_url: str | None


type Outcome = ToMicrosoft | Connected | Waiting | NotConnected
