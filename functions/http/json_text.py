"""JSON as it is sent: UTF-8 (RFC 8259, section 8.1), with no name twice in one object (section 4)."""

import json
from typing import Any, NoReturn

from pydantic import JsonValue
from pydantic_core import from_json

from shared.kernel.refusals import Malformed

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class _NameTwice(ValueError):  # noqa: N818 - what was sent is at fault, not the program
    """An object holds a name twice."""


def json_text(body: bytes) -> bytes:
    """The text without the byte order mark that some programs put before it.

    Raises:
        Malformed: it is not JSON, in another encoding, or an object in it holds a name twice.
    """
    text = body.removeprefix(_BYTE_ORDER_MARK)
    _parsed(text)
    return text


def json_value(body: bytes) -> JsonValue:
    """Any JSON.

    Raises:
        Malformed: as `json_text` says, or it holds half a surrogate pair.
    """
    try:
        value: JsonValue = from_json(json_text(body), allow_inf_nan=False)
    except ValueError:
        raise not_json() from None
    return value


def quick_json_value(body: bytes) -> Any:
    """The same for what is read into models afterwards, which do not take half a surrogate pair.

    Python's parser costs half as much again as pydantic's, which keeps the last of a name's values and says nothing.
    """
    return _parsed(body.removeprefix(_BYTE_ORDER_MARK), parse_constant=_refuse)


def not_json() -> Malformed:
    """Made anew each time: an exception that is raised again keeps the frames, and so the bodies, of every time."""
    return Malformed("The request body is not valid JSON, or is nested too deeply.")


def _parsed(text: bytes, **how: Any) -> Any:
    try:
        if b"\0" in text:
            raise _not_utf8()
        return json.loads(text.decode(), object_pairs_hook=_unique, **how)
    except UnicodeDecodeError:
        raise _not_utf8() from None
    except _NameTwice:
        raise Malformed("The request body holds a name twice in one object. Send each once.") from None
    except (ValueError, RecursionError):
        raise not_json() from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise _NameTwice
    return members


def _refuse(_constant: str) -> NoReturn:
    """`NaN` and `Infinity` are no JSON (RFC 8259, section 6)."""
    raise not_json()


def _not_utf8() -> Malformed:
    return Malformed("The request body is not in UTF-8. Save or send it in that encoding.")
