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


_LONGEST_SESSION = 8_760
"""Hours: a year."""


class PolicySettings(Record):
    """The settings that a Security Manager makes. The default, before any change, is off.

    `session_hours` is how long after a sign-in an application may keep its session, which the ID token says as
    `session_expiry`; None leaves that to the application.
    """

    mode: Mode = Mode.OFF
    applications_off: Annotated[tuple[ClientId, ...], Field(max_length=100)] = ()
    when_connection_fails: WhenConnectionFails = WhenConnectionFails.PASSWORD
    session_hours: Annotated[int | None, Field(strict=True, ge=1, le=_LONGEST_SESSION)] = None


class Policy(HeadRecord):
    """The SSO settings of an account, and who set them when.

    `mode_since` is when the mode last changed; None if it never did, or before this was recorded.
    """

    row = "policy"

    settings: PolicySettings = Field(default_factory=PolicySettings)
    mode_since: datetime | None = None
    updated_at: datetime | None = None
    updated_by: str | None = None


class PolicyChanged(Event):
    """The account's settings were replaced."""

    action = "policy.changed"

    before: PolicySettings
    after: PolicySettings
