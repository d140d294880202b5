"""The facade of the portal: let people in, and their sessions."""

from dataclasses import dataclass

from shared.accounts.journal import Journal
from shared.flows.flows import Flows
from shared.portal.entry import PortalEntry
from shared.portal.sessions import PortalSessions
from shared.ports.clock import Clock
from shared.ports.table import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Portal:
    """The portal of every account."""

    entry: PortalEntry
    """Lets people in."""
    sessions: PortalSessions
    """Proves, lists and ends their sessions."""

    @classmethod
    def assemble(cls, *, accounts: Table, journal: Journal, flows: Flows, clock: Clock) -> "Portal":
        """Join the parts; see the fields of each."""
        return cls(
            entry=PortalEntry(table=accounts, journal=journal, flows=flows, clock=clock),
            sessions=PortalSessions(table=accounts, journal=journal, clock=clock),
        )
