"""The facade of the connection package: make a connection, check it, and end it."""

from dataclasses import dataclass

from shared.connection.checks import ConnectionChecks
from shared.connection.consent import ConsentFlow
from shared.connection.disconnection import Disconnection


@dataclass(frozen=True, slots=True, kw_only=True)
class Connections:
    """The link between each account and its tenant."""

    consent: ConsentFlow
    """Makes it: from the start link to the proof."""
    checks: ConnectionChecks
    """Reads it, and checks whether the consent is still valid."""
    disconnection: Disconnection
    """Ends it, also when its account is removed."""
