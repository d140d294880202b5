"""Reports what happens to operators, one event per decision, without anybody's address.

    resolve   an application asked how a person signs in; the outcome is the method, the reason the rule that chose it
    connect   an integration took a step, or the connection that it made changed
    sign_in   a person took a step between an application and their tenant
    refusal   a call was refused; the outcome is the HTTP status, the reason the kind of refusal

Nothing is reported twice. A refusal that ends a known integration or sign-in is reported as its `refused`; the edge
reports every other refusal. Decisions inside a sign-in are reported by its steps, not as `resolve`.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from shared.kernel.names import AccountId, ClientId, EmailAddress


class EventName(StrEnum):
    """The kind of event."""

    RESOLVE = "resolve"
    CONNECT = "connect"
    SIGN_IN = "sign_in"
    REFUSAL = "refusal"


class ConnectStep(StrEnum):
    """How far an integration got, and what happened to the connection afterwards."""

    STARTED = "started"
    OPENED = "opened"
    CONSENTED = "consented"
    WAITING = "waiting"
    CONNECTED = "connected"
    REFUSED = "refused"
    REVOKED = "revoked"
    RESTORED = "restored"
    DISCONNECTED = "disconnected"


class SignInStep(StrEnum):
    """How far a sign-in got: asked for the address, sent to the password page, sent to Microsoft, back from there.

    `refreshed` comes later, each time its tokens are renewed.
    """

    ASKED = "asked"
    PASSWORD = "password"  # noqa: S105 - a method of signing in, not a secret
    STARTED = "started"
    RETURNED = "returned"
    COMPLETED = "completed"
    REFUSED = "refused"
    REDEEMED = "redeemed"
    REFRESHED = "refreshed"


@dataclass(frozen=True, slots=True)
class Event:
    """One event.

    `outcome` and `reason` are words from short lists, by which counters are split: never anything that was sent.
    """

    name: EventName
    outcome: str
    reason: str | None = None
    account_id: AccountId | None = None
    application: ClientId | None = None
    email: EmailAddress | None = None


class Telemetry(Protocol):
    """Reports events to operators."""

    def note(self, event: Event) -> None:
        """Report the event. Takes microseconds, never blocks, and never raises.

        The address is reported as a pseudonym. Counters are not split by it, nor by account or application.
        """
        ...
