"""What happens is told here, one event a decision: so that operators see it, and nobody's address is written anywhere.

    resolve   an application asked how a person signs in; the outcome is the method, the reason the rule that chose it
    connect   an integration went a step on, or the connection that it made changed
    sign_in   a person went a step on between an application and their tenant
    refusal   a call was refused; the outcome is the HTTP status, the reason the kind of refusal

One thing is told once. What ends an integration or a sign-in that is known is its `refused`; everything else that is
refused is told at the edge. The decisions inside a sign-in are told by its steps, and are no `resolve`.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from shared.kernel.names import AccountId, ClientId, EmailAddress


class EventName(StrEnum):
    """What kind of thing happened."""

    RESOLVE = "resolve"
    CONNECT = "connect"
    SIGN_IN = "sign_in"
    REFUSAL = "refusal"


class ConnectStep(StrEnum):
    """How far an integration got, and what befell the connection afterwards."""

    STARTED = "started"
    OPENED = "opened"
    CONSENTED = "consented"
    CONNECTED = "connected"
    REFUSED = "refused"
    REVOKED = "revoked"
    RESTORED = "restored"
    DISCONNECTED = "disconnected"


class SignInStep(StrEnum):
    """How far a sign-in got: asked for the address, sent to the password, sent to Microsoft, back from there."""

    ASKED = "asked"
    PASSWORD = "password"  # noqa: S105 - a method of signing in, not a secret
    STARTED = "started"
    RETURNED = "returned"
    COMPLETED = "completed"
    REFUSED = "refused"
    REDEEMED = "redeemed"


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened.

    `outcome` and `reason` are words from short lists, which counters are split by: never anything that was sent.
    """

    name: EventName
    outcome: str
    reason: str | None = None
    account_id: AccountId | None = None
    application: ClientId | None = None
    email: EmailAddress | None = None


class Telemetry(Protocol):
    """Tells operators what happens."""

    def note(self, event: Event) -> None:
        """Tell the event. Costs microseconds, waits for nobody, and never raises.

        The address is told as a pseudonym, and is no part of what is counted; nor are account and application.
        """
        ...
