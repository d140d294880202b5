"""The name of one user of one account in rows and URLs, which does not show the email."""

import hashlib
import re
import string
from typing import Self

from shared.kernel.encoding import base64url
from shared.kernel.names import AccountId, EmailAddress, Name

_RANKS = {letter: rank for rank, letter in enumerate(sorted(string.ascii_letters + string.digits + "-_"))}


class UserKey(Name):
    """Names one user of one account. Their exception and their link both bear it, as `exceptionId` and `linkId`.

    It is not keyed, on purpose, so that a row is found without a look-up: docs/decisions/0009.
    """

    __slots__ = ()
    pattern = re.compile(r"[A-Za-z0-9_-]{43}")
    rule = "The id of an exception or a link is 43 letters, digits, hyphens or underscores."

    @property
    def position(self) -> float:
        """Where it stands in the order of all keys, from 0 to 1. Keys are hashes, so that they are spread evenly."""
        return sum(_RANKS[letter] * 64.0**-place for place, letter in enumerate(self[:4], start=1))

    @classmethod
    def of(cls, account_id: AccountId, email: EmailAddress) -> Self:
        """SHA-256 of account and email, so that one person has different keys in different accounts."""
        hashed = hashlib.sha256(f"{account_id}\0{email.address}".encode()).digest()
        return cls(base64url(hashed))
