"""An account's policy, and the part that reads and changes it for a Security Manager."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from shared.access.roles import AccountAdministrator
from shared.accounts.head import HeadRecord, read_head
from shared.accounts.journal import Journal
from shared.applications.register import find_application
from shared.kernel.names import ClientId
from shared.kernel.refusals import FieldFault, Invalid
from shared.kernel.versions import Expected
from shared.ports.clock import Clock
from shared.ports.record import Record, Stored
from shared.ports.table import RowReader, Table
from shared.trail.events import Event


class Mode(StrEnum):
    """Whether SSO is on for the users of the account."""

    OFF = "off"
    ON = "on"


class WhenConnectionFails(StrEnum):
    """How users sign in once the customer has revoked the consent: by the vendor's password, or still by SSO only."""

    PASSWORD = "password"  # noqa: S105 - a method of signing in, not a secret
    SSO = "sso"


class PolicySettings(Record):
    """The settings that a Security Manager makes. The default, before any change, is off."""

    mode: Mode = Mode.OFF
    applications_off: Annotated[tuple[ClientId, ...], Field(max_length=100)] = ()
    when_connection_fails: WhenConnectionFails = WhenConnectionFails.PASSWORD


class Policy(HeadRecord):
    """The SSO settings of an account, and who set them when.

    `mode_since` and `mode_by` are of the last change of the mode; None if it never changed, or before this was kept.
    """

    row = "policy"

    settings: PolicySettings = Field(default_factory=PolicySettings)
    updated_at: datetime | None = None
    updated_by: str | None = None
    mode_since: datetime | None = None
    mode_by: str | None = None


class PolicyChanged(Event):
    """The account's settings were replaced."""

    action = "policy.changed"

    before: PolicySettings
    after: PolicySettings


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

    async def read(self, administrator: AccountAdministrator) -> Stored[Policy]:
        """The current policy.

        Raises:
            NotFound: there is no such account.
        """
        return (await read_head(self.table, administrator.account_id)).stored(Policy)

    async def change(
        self,
        administrator: AccountAdministrator,
        expected: Expected,
        change: Callable[[PolicySettings], PolicySettings],
    ) -> Stored[Policy]:
        """Put `change(settings)` in place of the settings.

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
        actor = administrator.actor
        settings = change(old.record.settings)
        await self._must_be_registered(old.record.settings.applications_off, settings.applications_off)
        new = _changed(old.record, settings, self.clock.now(), actor.name or actor.subject)
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


def _changed(old: Policy, settings: PolicySettings, now: datetime, by: str) -> Policy:
    """The policy with new settings. Who switched the mode stays known when something else changes."""
    switched = settings.mode is not old.settings.mode
    return Policy(
        settings=settings,
        updated_at=now,
        updated_by=by,
        mode_since=now if switched else old.mode_since,
        mode_by=by if switched else old.mode_by,
    )
