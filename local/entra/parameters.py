"""Reading a query or a form strictly: RFC 6749 section 3.1 forbids repeated parameters.

It judges no values.
"""

from collections.abc import Iterable, Mapping
from urllib.parse import parse_qsl

from starlette.requests import Request

from local.entra.refusals import aadsts

FORM = "application/x-www-form-urlencoded"


def query(request: Request) -> Mapping[str, str]:
    """The query's parameters.

    Raises:
        Refusal: AADSTS9002313, one is repeated.

    """
    return _once(request.query_params.multi_items())


async def form(request: Request) -> Mapping[str, str]:
    """The parameters of a form-encoded body.

    Raises:
        Refusal: AADSTS9002313, the body is something else or repeats one.

    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
        raise aadsts(9002313, reason=f"The content type must be {FORM}.")
    try:
        return _once(parse_qsl((await request.body()).decode(), keep_blank_values=True))
    except UnicodeDecodeError:
        raise aadsts(9002313, reason="The body is not UTF-8.") from None


def required(parameters: Mapping[str, str], name: str) -> str:
    """The value of a parameter that must be there and not empty.

    Raises:
        Refusal: AADSTS900144, it is missing.

    """
    value = parameters.get(name)
    if not value:
        raise aadsts(900144, parameter=name)
    return value


def _once(pairs: Iterable[tuple[str, str]]) -> Mapping[str, str]:
    read: dict[str, str] = {}
    for name, value in pairs:
        if name in read:
            raise aadsts(9002313, reason=f"The parameter '{name}' is repeated.")
        read[name] = value
    return read
