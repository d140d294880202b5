"""JSON as callers send it: UTF-8 (RFC 8259, section 8.1), without duplicate names in an object (section 4)."""

import json
from typing import Any, NoReturn

from pydantic import BaseModel, JsonValue, ValidationError
from pydantic_core import from_json

from shared.kernel.faults import faults_of
from shared.kernel.refusals import Invalid, Malformed

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class _NameTwice(ValueError):  # noqa: N818 - the caller's error, not the program's
    """An object has a name twice."""


def without_mark(body: bytes) -> bytes:
    """The text without the byte order mark that some programs put before it."""
    return body.removeprefix(_BYTE_ORDER_MARK)


def must_be_json(text: bytes) -> None:
    """Check what pydantic's parser does not: it takes the last value of a name that an object has twice.

    Raises:
        Malformed: it is not JSON, not UTF-8, or an object in it has a name twice.
    """
    _parsed(text)


def json_value(body: bytes) -> JsonValue:
    """Parse any JSON.

    Raises:
        Malformed: as in `must_be_json`, or it contains half a surrogate pair.
    """
    text = without_mark(body)
    must_be_json(text)
    try:
        value: JsonValue = from_json(text, allow_inf_nan=False)
    except ValueError:
        raise not_json() from None
    return value


def validated[M: BaseModel](model: type[M], body: bytes) -> M:
    """Validate strictly: `"yes"` is no boolean, and a number is no time.

    Every member of an object has a colon. A body with no more colons than the model has fields from it holds no name
    twice, and is parsed once; only others are looked through for such names.

    Raises:
        Malformed: it is not JSON.
        Invalid: it does not fit the model; `errors` lists the fields.
    """
    text = without_mark(body)
    try:
        valid = model.model_validate_json(text, strict=True, by_alias=True, by_name=False)
    except ValidationError as error:
        must_be_json(text)
        if any(found["type"] == "json_invalid" for found in error.errors(include_url=False, include_input=False)):
            raise not_json() from None
        raise Invalid("The request body is invalid. Fix the fields listed in `errors`.", faults_of(error)) from None
    if text.count(b":") > len(valid.model_fields_set):
        must_be_json(text)
    return valid


def quick_json_value(body: bytes) -> Any:
    """Parse JSON that is then validated by models, which refuse half a surrogate pair.

    Python's parser takes 1.5 times as long as pydantic's, which silently keeps the last value of a duplicate name.
    """
    return _parsed(without_mark(body), parse_constant=_refuse)


def not_json() -> Malformed:
    """A new error each time: an exception that is raised again keeps the frames, and so the bodies, of every raise."""
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
