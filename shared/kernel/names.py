"""Names that people and other systems give us, parsed once into values that can be trusted.

Each type is made by its `parse` (or by its constructor, which parses), never by a cast. What cannot be parsed is a
`ValueError` with a sentence that may be shown; it never repeats the text, which may be personal data.
"""

import functools
import re
import unicodedata
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

PASTED = (
    "\t\n\v\f\r\x1c\x1d\x1e\x1f \x85\xa0\xad\u061c\u1680\u180e"
    "\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u200b\u200c\u200d\u200e\u200f"
    "\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u202f\u205f\u2060\u2061\u2062\u2063\u2064"
    "\u2066\u2067\u2068\u2069\u206a\u206b\u206c\u206d\u206e\u206f\u3000\ufeff"
)
"""Invisible characters that are copied along with a name: white space, and format characters that draw nothing.

Around a name they are removed. Inside one they are refused, because they could be there to deceive.
"""


def unpasted(value: object) -> object:
    """A text without the invisible characters around it; anything else as it is, for the check that follows."""
    return value.strip(PASTED) if isinstance(value, str) else value


class Name(str):
    """A string that matches its class's `pattern` after `normalise`. Invisible characters around it are removed.

    Raises:
        ValueError: it does not; the message is the class's `rule`.
    """

    __slots__ = ()
    pattern: ClassVar[re.Pattern[str]]
    rule: ClassVar[str]

    def __new__(cls, text: str) -> Self:  # noqa: D102 - the class says it
        normal = cls.normalise(text.strip(PASTED))
        if not cls.pattern.fullmatch(normal):
            raise ValueError(cls.rule)
        return super().__new__(cls, normal)

    @classmethod
    def normalise(cls, text: str) -> str:
        """Bring the text into the one form that is stored and compared."""
        return text

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(cls, core_schema.str_schema())

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"type": "string", "pattern": f"^(?:{cls.pattern.pattern})$", "description": cls.rule}


class AccountId(Name):
    """A customer of the vendor: opaque, case-sensitive."""

    __slots__ = ()
    pattern = re.compile(r"[A-Za-z0-9_-]{1,64}")
    rule = "An account id is 1 to 64 letters, digits, hyphens or underscores."


class ClientId(Name):
    """An application, as an OAuth 2.0 client of this service (RFC 6749, section 2.2)."""

    __slots__ = ()
    pattern = re.compile(r"[A-Za-z0-9_-]{1,64}")
    rule = "A client id is 1 to 64 letters, digits, hyphens or underscores."

    @classmethod
    def exact(cls, text: str) -> Self:
        """Parse what a program sends: no space around it is stripped, unlike around names that people type.

        Raises:
            ValueError: it is not a valid client id.
        """
        client_id = cls(text)
        if client_id != text:
            raise ValueError(cls.rule)
        return client_id


class Product(Name):
    """Something the vendor sells to an account, that an application may require."""

    __slots__ = ()
    pattern = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,63}")
    rule = "A product is 1 to 64 letters, digits, blanks, dots, hyphens or underscores."


class TenantId(Name):
    """An Entra directory: a GUID, lower-cased."""

    __slots__ = ()
    pattern = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
    rule = "A tenant id is a GUID."

    @classmethod
    def normalise(cls, text: str) -> str:
        """GUIDs compare without regard to case."""
        return text.lower()


PERSONAL_ACCOUNTS = TenantId("9188040d-6c67-4c5b-b112-36a304b66dad")
"""The tenant of personal Microsoft accounts, which nobody administers."""


_DROPPED = frozenset(PASTED) - {"\u200c", "\u200d"}
"""Characters that UTS 46 would silently drop from a domain. IDNA judges joiners: some languages need them."""


class DomainName(Name):
    """A domain in the form that DNS uses: lower-case A-labels (RFC 5890), two labels at least."""

    __slots__ = ()
    pattern = re.compile(r"(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?")
    rule = "A domain is a DNS name of two labels or more, such as contoso.example."

    @classmethod
    def normalise(cls, text: str) -> str:
        """Unicode labels become A-labels by UTS 46, as in browsers and Entra."""
        if text.isascii():
            return text.lower()
        if not _DROPPED.isdisjoint(text):
            raise ValueError(cls.rule)
        import idna

        try:
            return idna.encode(text, uts46=True).decode("ascii").lower()
        except idna.IDNAError:
            raise ValueError(cls.rule) from None


_LONGEST = 254
_LONGEST_LOCAL = 64
"""Octets of the part before the @ (RFC 5321, section 4.5.3.1.1)."""
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_PLAIN = re.compile(rf"(?P<local>{_ATOM}(?:\.{_ATOM})*)@(?!.*[Xx][Nn]--)(?P<domain>[A-Za-z0-9.-]+)")
"""A dot-atom (RFC 5322, section 3.2.3) at a domain without Unicode: addresses of which only the domain needs checking.

Nearly all addresses are of this form, and email-validator, which checks all others, takes as long for one as the rest
of a resolution.
"""

_ORDINARY = re.compile(r"(?:(?!..--)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+(?!..--)[a-z](?:[a-z0-9-]{0,61}[a-z])?")
"""A domain that email-validator lets pass unless it is reserved. It takes 90 microseconds to say so, since it looks for
what other domains may hold, too."""


@dataclass(frozen=True, slots=True, repr=False)
class EmailAddress:
    """An address in the one form that is compared and hashed: NFC, lower-case, the domain as A-labels.

    Plus-addresses are literal. Neither `str` nor `repr` shows the address, so that no log line can.
    """

    address: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse an address as a person typed it.

        Raises:
            ValueError: it is not an email address; the message does not repeat it.
        """
        text = text.strip(PASTED)
        if len(text) > _LONGEST:
            raise ValueError("This is not an email address. It is too long.")
        plain = _PLAIN.fullmatch(text)
        octets = plain["local"] if plain else text.rpartition("@")[0].encode("utf-8", "surrogatepass")
        if len(octets) > _LONGEST_LOCAL:
            raise ValueError("This is not an email address. The part before the @ is too long.")
        if plain:
            return cls(f"{plain['local'].lower()}@{_judged_domain(plain['domain'].lower())}")
        local, domain = _judged(text)
        return cls(f"{local}@{domain}")

    @property
    def domain(self) -> DomainName:
        """The part behind the @."""
        return _domain(self.address.rpartition("@")[2])

    def __repr__(self) -> str:
        return "EmailAddress(…)"

    def __str__(self) -> str:
        return "(an email address)"

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(
            cls.parse,
            core_schema.str_schema(max_length=1_000),
            serialization=core_schema.plain_serializer_function_ser_schema(lambda email: email.address),
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"type": "string", "format": "email", "maxLength": 254}


def _judged(text: str) -> tuple[str, DomainName]:
    """Local part and domain of an address, in the form that is compared.

    Raises:
        ValueError: it is none.
    """
    from email_validator import EmailNotValidError, validate_email

    # test_environment lets .test domains pass (RFC 6761): whether a domain may route is asked elsewhere.
    try:
        seen = validate_email(text, check_deliverability=False, test_environment=True)
    except EmailNotValidError as fault:
        raise ValueError(f"This is not an email address. {_without_values(str(fault))}") from None
    return unicodedata.normalize("NFC", seen.local_part.lower()), DomainName(seen.ascii_domain)


@functools.lru_cache(1_000)
def _judged_domain(domain: str) -> DomainName:
    """The domain of a plain address. The result is the same for all of its addresses; refusals are not cached."""
    if _ORDINARY.fullmatch(domain) and not _is_reserved(domain):
        return DomainName(domain)
    return _judged(f"a@{domain}")[1]


def _is_reserved(domain: str) -> bool:
    """Whether it is below a name for special use, as email-validator lists them."""
    from email_validator import SPECIAL_USE_DOMAIN_NAMES

    return f".{domain}".endswith(tuple([f".{name}" for name in SPECIAL_USE_DOMAIN_NAMES]))


_domain = functools.lru_cache(1_000)(DomainName)
"""The domain of an address, which few addresses have alone."""


def _without_values(sentence: str) -> str:
    """The validator's sentences quote the typed text at their end, after a colon or in parentheses."""
    return re.split(r":| \(", sentence, maxsplit=1)[0].rstrip(".") + "."
