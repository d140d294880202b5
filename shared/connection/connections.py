"""What the connection package offers: making a connection, keeping it, and ending it."""

from dataclasses import dataclass

from shared.connection.checks import ConnectionChecks
from shared.connection.consent import ConsentFlow
from shared.connection.disconnection import Disconnection


@dataclass(frozen=True, slots=True, kw_only=True)
class Connections:
    """The link between each account and its tenant."""

    consent: ConsentFlow
    """How it is made: from the start link to the proof."""
    checks: ConnectionChecks
    """How it is, and whether the consent still stands."""
    disconnection: Disconnection
    """How it ends, and its account with it."""
