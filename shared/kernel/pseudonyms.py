"""Pseudonyms of people in logs: a keyed hash, equal for equal addresses, useless without the key."""

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
        """Sixteen hexadecimal digits that replace this address in every log of this deployment."""
        keyed = _keyed(self.key).copy()
        keyed.update(email.address.encode())
        return keyed.hexdigest()[:16]


@functools.lru_cache(1)
def _keyed(key: bytes) -> hmac.HMAC:
    """The hash before any address: setting it up takes longer than hashing one."""
    return hmac.new(key, digestmod=hashlib.sha256)
