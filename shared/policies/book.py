"""The policies of all accounts, read and changed by their Security Managers."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from shared.access.roles import AccountAdministrator, AccountReader
from shared.accounts.head import read_head
from shared.accounts.journal import Journal
from shared.applications.application import find_application
from shared.kernel.names import ClientId
from shared.kernel.refusals import FieldFault, Invalid
from shared.kernel.versions import Expected
from shared.policies.policy import Policy, PolicyChanged, PolicySettings
from shared.ports.clock import Clock
from shared.ports.record import Stored
from shared.ports.table import RowReader, Table


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyBook:
    """The policy of every account."""

    table: Table
    """The accounts' table."""
    journal: Journal
    """The audit trail."""
    clock: Clock
    """Dates the changes."""
    applications: RowReader
    """The applications' table, read without a cache."""

    async def read(self, reader: AccountReader) -> Stored[Policy]:
        """The current policy.

        Raises:
            NotFound: there is no such account.
        """
        return (await read_head(self.table, reader.account_id)).stored(Policy)

    async def change(
        self,
        administrator: AccountAdministrator,
        expected: Expected,
        change: Callable[[PolicySettings], PolicySettings],
    ) -> Stored[Policy]:
        """Put `change(settings)` in place of the settings. What is stored as it shall be is left as it is.

        Args:
            administrator: makes the change, and names the account.
            expected: the versions that the caller has seen.
            change: makes the new settings from the current ones. It may refuse.

        Raises:
            NotFound: there is no such account.
            Invalid: it switches an application off that is not registered.
            Stale: the policy is not one that the caller has seen, or another writer was first.
        """
        old = await self.read(administrator)
        expected.must_allow(old.version)
        settings = change(old.record.settings)
        if old.row is not None and settings.document() == old.record.settings.document():
            return old
        await self._must_be_registered(old.record.settings.applications_off, settings.applications_off)
        now, actor = self.clock.now(), administrator.actor
        new = Policy(
            settings=settings,
            mode_since=old.record.mode_since if settings.mode is old.record.settings.mode else now,
            updated_at=now,
            updated_by=actor.name or actor.subject,
        )
        event = PolicyChanged(before=old.record.settings, after=settings)
        await self.journal.commit(administrator.account_id, actor, event, old.rewrite(new))
        return old.then(new)

    async def _must_be_registered(self, before: tuple[ClientId, ...], named: tuple[ClientId, ...]) -> None:
        """Look up what is named anew. An application that has been removed since may stay: it bars nothing."""
        new = [*{*named} - {*before}]
        found = await asyncio.gather(*(find_application(self.applications, each) for each in new))
        unknown = {each for each, application in zip(new, found, strict=True) if application is None}
        faults = [
            FieldFault(f"applicationsOff.{index}", f"No application is registered as {each}.")
            for index, each in enumerate(named)
            if each in unknown
        ]
        if faults:
            raise Invalid("Only registered applications can be switched off. An Operator registers them.", faults)
