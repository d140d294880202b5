"""What HTTP needs for itself, beside the part of the product that an endpoint calls.

It stands apart from `shared.assembly`, so that an endpoint imports its own part of the product and no other.
"""

from dataclasses import dataclass

from shared.branding import Branding
from shared.ports.access_tokens import AccessTokens
from shared.ports.clock import Clock
from shared.ports.telemetry import Telemetry


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgePorts:
    """What `functions.http` and the handlers need beside the product itself."""

    public_url: str
    """Where the world reaches this service."""
    cookie_prefix: str
    """How the names of cookies begin."""
    branding: Branding
    """The vendor on the pages that people see."""
    access_tokens: AccessTokens
    """Verifies the control panel's bearer tokens."""
    telemetry: Telemetry
    """Where refusals are reported."""
    clock: Clock
    """The time."""
