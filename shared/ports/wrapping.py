"""A key that wraps other keys (NIST SP 800-38F's sense of the word), and never leaves where it is kept."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Wrapped:
    """A key at rest: `octets` can be unwrapped by this version of the wrapping key alone."""

    version: str
    octets: bytes


class Wrapping(Protocol):
    """Wraps keys by the newest version of a key, and unwraps those that any version wrapped.

    Both raise `Unavailable` if the key does not respond, or denies it.
    """

    async def wrap(self, key: bytes) -> Wrapped:
        """The key, wrapped."""
        ...

    async def unwrap(self, wrapped: Wrapped) -> bytes:
        """The key again."""
        ...
