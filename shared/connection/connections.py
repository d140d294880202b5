"""What the connection package offers: making a connection, and keeping it."""

from dataclasses import dataclass

from shared.connection.lifecycle import Lifecycle
from shared.connection.onboarding import Onboarding


@dataclass(frozen=True, slots=True, kw_only=True)
class Connections:
    """The link between each account and its tenant."""

    onboarding: Onboarding
    """How it is made: from the start link to the proof."""
    lifecycle: Lifecycle
    """What happens to it afterwards, until it is undone or its account closed."""
