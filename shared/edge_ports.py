"""What HTTP itself needs, beside the part of the product that an endpoint calls.

It is separate from `shared.assembly`, so that an endpoint imports only its own part of the product.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from shared.ports.clock import Clock
from shared.ports.telemetry import Telemetry

if TYPE_CHECKING:
    from shared.branding import Branding
    from shared.ports.access_tokens import AccessTokens, PortalAccess


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgePorts:
    """What `functions.http` and the handlers need beside the product itself."""

    public_url: str
    """The public URL of this service."""
    cookie_prefix: str
    """The prefix of cookie names."""
    control_panel: str | None
    """The address to which pages without another way lead; None if it is not known."""
    branding: "Branding"
    """The vendor on the pages that people see."""
    access_tokens: "AccessTokens"
    """Verifies the control panel's bearer tokens."""
    portal_access: "PortalAccess"
    """Verifies sessions of the portal."""
    telemetry: Telemetry
    """Reports refusals to operators."""
    clock: Clock
    """The time."""
