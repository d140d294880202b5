"""Parameters of OAuth requests, as they are sent: in the query, or in a form (RFC 6749, appendix B)."""

from urllib.parse import parse_qsl, urlsplit

from azure.functions import HttpRequest

from functions.edge.requests import raw_body
from shared.kernel.refusals import Malformed

FORM = "application/x-www-form-urlencoded"
_MOST = 100


def parameters_of(req: HttpRequest) -> dict[str, tuple[str, ...]]:
    """Every parameter with every value it was sent with: of the form if there is one, else of the query.

    Raises:
        UnsupportedMediaType: the body is not a form.
        TooLarge: it is larger than we take.
        Malformed: it cannot be read.
    """
    try:
        text = raw_body(req, FORM).decode("ascii") if req.method == "POST" else urlsplit(req.url).query
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=_MOST, errors="strict")
    except ValueError:
        raise Malformed("The parameters cannot be read.") from None
    collected: dict[str, tuple[str, ...]] = {}
    for name, value in pairs:
        collected[name] = (*collected.get(name, ()), value)
    return collected
