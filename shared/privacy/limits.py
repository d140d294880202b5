"""How long what is kept is kept."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How long what is kept is kept: for ever where it is None, or until the account is removed."""

    trail: timedelta | None = None
    """Events, and who they named."""
    unused_links: timedelta | None = None
    """Links by which nobody has signed in."""


FOR_EVER = Limits()
