"""What stands for a person in a log: a keyed hash, the same for the same email, useless without the key."""

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
        return hmac.digest(self.key, email.address.encode(), hashlib.sha256).hex()[:16]
