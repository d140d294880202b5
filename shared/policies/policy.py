"""An account's policy: its SSO settings."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from shared.accounts.head import HeadRecord
from shared.kernel.names import ClientId
from shared.ports.record import Record
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

    def changed(self, settings: PolicySettings, now: datetime, by: str) -> "Policy":
        """The policy with new settings. Who switched the mode stays known when something else changes."""
        switched = settings.mode is not self.settings.mode
        return Policy(
            settings=settings,
            updated_at=now,
            updated_by=by,
            mode_since=now if switched else self.mode_since,
            mode_by=by if switched else self.mode_by,
        )


class PolicyChanged(Event):
    """The account's settings were replaced."""

    action = "policy.changed"

    before: PolicySettings
    after: PolicySettings
