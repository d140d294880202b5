"""A refresh token as text: where its family is stored, and the secret that is good for one use.

    20261231T2400.5f1c…(32).Zk3v…(43).q9Xw…(43)
    month         person    handle    secret

Month, person and the hash of the handle are the key of the family's row; the handle itself is in no row, so that only
somebody who has seen a token of the family can name it. `docs/decisions/0042` says why the next token follows from the
one before it.
"""

import hmac
import re
import secrets
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Self

from shared.flows.expiry import month_of, partition_of
from shared.flows.flows import digest, handle_in
from shared.kernel.encoding import base64url
from shared.kernel.names import AccountId
from shared.ports.table import Key
from shared.provider.issuer import Code
from shared.provider.sessions import name_of_person

_TEXT = re.compile(r"([0-9]{8}T2400)\.([0-9a-f]{32})\.([A-Za-z0-9_-]{43})\.([A-Za-z0-9_-]{43})")
_HALF = 32
"""Hexadecimal digits that tell persons, and the families of one person, apart: 128 bits."""

PREFIX = "family:"
"""Of the row keys of families."""

FAMILY_LIFETIME = timedelta(days=28)
"""How long after the sign-in its tokens can be renewed, however often they are."""


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """One token of a family."""

    month: str
    person: str
    handle: str = field(repr=False)
    secret: str = field(repr=False)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a token that a client has sent.

        Raises:
            ValueError: it is no text of a refresh token.
        """
        parts = _TEXT.fullmatch(text)
        if parts is None:
            raise ValueError("It is no refresh token.")
        return cls(*parts.groups())

    @classmethod
    def first(cls, code: Code, handle: str) -> Self:
        """The first token of the family that a code begins: the family is the code's, the secret is new each time.

        Args:
            code: the code.
            handle: what the client has shown for it; anything after the handle is ignored, as by `Flows`.
        """
        family = base64url(hmac.digest(handle_in(handle).encode(), b"family of refresh tokens", "sha256"))
        person = half_name_of(code.person.account_id, code.person.sub)
        return cls(month_of(code.issued_at + FAMILY_LIFETIME), person, family, secrets.token_urlsafe(32))

    @property
    def text(self) -> str:
        """What the client keeps."""
        return f"{self.month}.{self.person}.{self.handle}.{self.secret}"

    @property
    def name(self) -> str:
        """The name of the family."""
        return self.person + digest(self.handle)[:_HALF]

    @property
    def key(self) -> Key:
        """The key of the family's row."""
        return family_key(self.month, self.name)

    @property
    def digest(self) -> str:
        """What the row keeps of the secret."""
        return digest(self.secret)

    def successor(self, salt: str) -> "RefreshToken":
        """The token after this one. Only who has this one can tell, since the salt alone is stored."""
        secret = base64url(hmac.digest(self.secret.encode(), salt.encode(), "sha256"))
        return RefreshToken(self.month, self.person, self.handle, secret)


def half_name_of(account_id: AccountId, sub: str) -> str:
    """The first half of the names of a person's families."""
    return name_of_person(account_id, sub)[:_HALF]


def family_key(month: str, name: str) -> Key:
    """The key of a family's row."""
    return Key(partition_of(month, name), PREFIX + name)
