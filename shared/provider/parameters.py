"""Parameters of OAuth requests and responses (RFC 6749, section 3.1)."""

from collections.abc import Mapping
from urllib.parse import urlencode, urlsplit

from shared.provider.errors import invalid_request

_LONGEST = 2_000
_LONGEST_OF = {"state": 4_096, "nonce": 4_096}
"""Characters of a parameter that only the client reads, and may use to keep a whole page."""

LONGEST_TOKEN = 16_000
"""Characters of a parameter that is a token: it may contain a long nonce or a chain of certificates."""

type Parameters = Mapping[str, tuple[str, ...]]
"""Each parameter with every value that was sent."""


def one(parameters: Parameters, name: str, longest: int | None = None) -> str | None:
    """The parameter's value; an empty one counts as missing (RFC 6749, section 3.1).

    Raises:
        OAuthError: it was sent more than once, or is longer than any honest one.
    """
    longest = longest or _LONGEST_OF.get(name, _LONGEST)
    values = parameters.get(name, ())
    if len(values) > 1:
        raise invalid_request(f"'{name}' was sent more than once.")
    if values and len(values[0]) > longest:
        raise invalid_request(f"'{name}' is longer than {longest} characters.")
    return values[0] or None if values else None


def with_query(url: str, **added: str | None) -> str:
    """The address with these parameters added to its query, which is otherwise unchanged."""
    split = urlsplit(url)
    more = urlencode({name: value for name, value in added.items() if value is not None})
    return split._replace(query="&".join(filter(None, (split.query, more)))).geturl()


def with_fragment(url: str, **added: str) -> str:
    """The address with these parameters as its fragment. A registered redirect URI has none (RFC 6749, 3.1.2)."""
    return f"{url}#{urlencode(added)}"
