"""The facade of what keeps the product going: what timers run, and the end of an instance."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from shared.duties.runner import DutyRunner
from shared.flows.flows import Flows
from shared.privacy.privacy import Privacy


@dataclass(frozen=True, slots=True, kw_only=True)
class Upkeep:
    """What runs without anybody who asks for it."""

    flows: Flows
    """What browsers carry for a time, such as tickets, states and codes; a timer purges the expired ones."""
    duties: DutyRunner
    """Work that is due at a time."""
    privacy: Privacy
    """Plans the duties that nothing else plans."""
    close: Callable[[], Awaitable[None]]
    """Closes the connections behind the product."""

    async def run_duties(self) -> int:
        """Do the work that is due; says how much there was."""
        await self.privacy.begin()
        return await self.duties.run()
