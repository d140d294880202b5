"""The addresses to which a browser may return after an integration: only those below prefixes of the operator."""

from dataclasses import dataclass
from typing import Self
from urllib.parse import SplitResult, quote, unquote, unquote_plus, urlsplit

from shared.kernel.addresses import is_base, is_plain
from shared.kernel.refusals import FieldFault, Invalid

_LONGEST = 2_000


@dataclass(frozen=True, slots=True)
class ReturnUrls:
    """The addresses below which a browser may return.

    Args: `prefixes`, addresses such as `https://panel.example/sso/`, below which a return is allowed.
    """

    prefixes: tuple[SplitResult, ...]

    @classmethod
    def parse(cls, prefixes: tuple[str, ...]) -> Self:
        """Parse the operator's list.

        Raises:
            ValueError: one is not an absolute http(s) address without query and fragment.
        """
        split = tuple(map(urlsplit, prefixes))
        for each in split:
            if not is_base(each):
                raise ValueError("Each must be an https address without query, such as https://panel.example/sso/.")
        return cls(split)

    @property
    def home(self) -> str | None:
        """The control panel, as far as it is known: the first of the prefixes."""
        return self.prefixes[0].geturl() if self.prefixes else None

    def and_below(self, prefix: str) -> "ReturnUrls":
        """These, and another one of our own."""
        return ReturnUrls((*self.prefixes, urlsplit(prefix)))

    def check(self, url: str) -> str:
        """Return the address, if a return to it is allowed.

        Raises:
            Invalid: a return is not allowed; the error names the field `returnUrl`.
        """
        if not any(_is_below(url, prefix) for prefix in self.prefixes):
            fault = FieldFault("returnUrl", "It is not below an address that the operator allows (SSO_RETURN_URLS).")
            raise Invalid("The return address is not allowed.", [fault])
        return url


def _is_below(text: str, prefix: SplitResult) -> bool:
    """Whether scheme and authority are exactly the same, and the path is below, without `..` segments.

    A semicolon in a segment begins a parameter, which some servers remove before they resolve the path
    (RFC 3986, section 3.3).
    """
    try:
        url = urlsplit(text if is_plain(text) and len(text) <= _LONGEST else "")
    except ValueError:
        return False
    steps = unquote(unquote(url.path)).replace("\\", "/").split("/")
    folder = prefix.path.rstrip("/") + "/"
    return (
        (url.scheme, url.netloc) == (prefix.scheme, prefix.netloc)
        and (url.path + "/").startswith(folder)
        and not {".", ".."} & {step.partition(";")[0] for step in steps}
    )


def with_outcome(url: str, outcome: str) -> str:
    """The address with `connection=<outcome>` added to its query, which is otherwise unchanged."""
    split = urlsplit(url)
    parts = split.query.split("&") if split.query else []
    kept = [part for part in parts if unquote_plus(part.partition("=")[0]) != "connection"]
    return split._replace(query="&".join([*kept, f"connection={quote(outcome)}"])).geturl()
