"""What stands for a person in a log: a keyed hash, the same for the same email, useless without the key."""

import functools
import hashlib
import hmac
from dataclasses import dataclass, field

from shared.kernel.names import EmailAddress


@dataclass(frozen=True, slots=True)
class Pseudonyms:
    """Makes pseudonyms.

    Args: `key`, secret bytes that the deployment keeps, so that nobody can try out addresses.
    """

    key: bytes = field(repr=False)

    def of(self, email: EmailAddress) -> str:
        """Sixteen hexadecimal digits that stand for this address in every log of this deployment."""
        return _pseudonym(self.key, email.address)


@functools.lru_cache(10_000)
def _pseudonym(key: bytes, address: str) -> str:
    """Remembered, because a person is told of several times while they sign in."""
    return hmac.digest(key, address.encode(), hashlib.sha256).hex()[:16]
