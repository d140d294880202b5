"""An account's policy, and the book that its Security Manager keeps it in."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import Field, JsonValue

from shared.access.roles import AccountAdministrator
from shared.accounts.head import HeadRecord, read_head
from shared.accounts.journal import Journal
from shared.applications.register import find_application
from shared.kernel.names import AccountId, ClientId
from shared.kernel.refusals import FieldFault, Invalid
from shared.kernel.versions import Expected
from shared.ports.clock import Clock
from shared.ports.record import Record, Stored
from shared.ports.table import RowReader, Table


class Mode(StrEnum):
    """Whether SSO is on for the users of the account."""

    OFF = "off"
    ON = "on"


class WhenConnectionFails(StrEnum):
    """What users do once the customer has revoked the consent: the vendor's password, or nothing but SSO."""

    PASSWORD = "password"  # noqa: S105 - a method of signing in, not a secret
    SSO = "sso"


class PolicySettings(Record):
    """What a Security Manager decides. The default is what stands before anybody decided: off."""

    mode: Mode = Mode.OFF
    applications_off: Annotated[tuple[ClientId, ...], Field(max_length=100)] = ()
    when_connection_fails: WhenConnectionFails = WhenConnectionFails.PASSWORD


class Policy(HeadRecord):
    """The SSO settings of an account, and who set them when."""

    row = "policy"

    settings: PolicySettings = Field(default_factory=PolicySettings)
    updated_at: datetime | None = None
    updated_by: str | None = None


class PolicyBook:
    """The policy of every account.

    Args: `table`, the accounts' table; `journal`; `clock`; `applications`, where they are registered, as of now.
    """

    def __init__(self, table: Table, journal: Journal, clock: Clock, applications: RowReader) -> None:
        self._table = table
        self._journal = journal
        self._clock = clock
        self._applications = applications

    async def read(self, account_id: AccountId) -> Stored[Policy]:
        """The policy that stands.

        Raises:
            NotFound: there is no such account.
        """
        return (await read_head(self._table, account_id)).stored(Policy)

    async def change(
        self,
        administrator: AccountAdministrator,
        expected: Expected,
        change: Callable[[PolicySettings], PolicySettings],
    ) -> Stored[Policy]:
        """Put `change(settings)` in place of the settings.

        Args:
            administrator: who changes it, and whose it is.
            expected: the versions that the caller has seen.
            change: makes the new settings of the ones that stand. It may refuse.

        Raises:
            NotFound: there is no such account.
            Invalid: it switches an application off that is not registered.
            Stale: the policy is not one that the caller has seen, or somebody else was first.
        """
        old = await self.read(administrator.account_id)
        expected.must_allow(old.version)
        actor = administrator.actor
        settings = change(old.record.settings)
        await self._must_be_registered(old.record.settings.applications_off, settings.applications_off)
        new = Policy(settings=settings, updated_at=self._clock.now(), updated_by=actor.name or actor.subject)
        details: dict[str, JsonValue] = {"before": _told(old.record), "after": _told(new)}
        await self._journal.commit(administrator.account_id, actor, "policy.changed", details, old.rewrite(new))
        return old.then(new)

    async def _must_be_registered(self, before: tuple[ClientId, ...], named: tuple[ClientId, ...]) -> None:
        """Look up what is named anew. An application that has been removed since may stay: it bars nothing."""
        new = [*{*named} - {*before}]
        found = await asyncio.gather(*(find_application(self._applications, each) for each in new))
        unknown = {each for each, application in zip(new, found, strict=True) if application is None}
        faults = [
            FieldFault(f"applicationsOff.{index}", f"No application is registered as {each}.")
            for index, each in enumerate(named)
            if each in unknown
        ]
        if faults:
            raise Invalid("Only registered applications can be switched off. An Operator registers them.", faults)


def _told(policy: Policy) -> dict[str, JsonValue]:
    return policy.settings.model_dump(mode="json", by_alias=True)
