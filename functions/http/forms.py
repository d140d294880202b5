"""Parameters of OAuth requests, sent in the query or in a form (RFC 6749, appendix B)."""

from collections.abc import Mapping
from urllib.parse import urlencode

from azure.functions import HttpRequest

from functions.http.requests import parameters as read_parameters
from functions.http.requests import query_text, raw_body
from shared.kernel.addresses import LONGEST_ADDRESS
from shared.kernel.refusals import Malformed

FORM = "application/x-www-form-urlencoded"


def parameters_of(req: HttpRequest) -> dict[str, tuple[str, ...]]:
    """Every parameter with every value that was sent: from the form if there is one, else from the query.

    Raises:
        UnsupportedMediaType: the body is not a form.
        BodyLost: the body was sent without its length.
        TooLarge: the body is larger than the limit.
        Malformed: the form or the query cannot be read.
    """
    if req.method != "POST":
        return read_parameters(query_text(req))
    try:
        text = raw_body(req, FORM).decode("ascii")
    except UnicodeDecodeError:
        raise Malformed("The parameters are malformed. The application's developers must fix this.") from None
    return read_parameters(text)


def is_from_our_own_page(req: HttpRequest) -> bool:
    """Whether the browser reports that a page of this origin sent the form (https://www.w3.org/TR/fetch-metadata/)."""
    return bool(req.headers.get("sec-fetch-site") == "same-origin")


def is_in_foreign_frame(req: HttpRequest) -> bool:
    """Whether the browser reports a frame in a page of another site, where it neither sends nor keeps our cookies."""
    framed = req.headers.get("sec-fetch-dest") in {"iframe", "frame", "embed", "object"}
    return framed and req.headers.get("sec-fetch-site") == "cross-site"


def as_address(parameters: Mapping[str, tuple[str, ...]], endpoint: str) -> str | None:
    """The address that repeats the parameters of a form as GET; None if it would be too long."""
    pairs = [(name, value) for name, values in parameters.items() for value in values]
    address = f"{endpoint}?{urlencode(pairs)}"
    return address if len(address) <= LONGEST_ADDRESS else None
