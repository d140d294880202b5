"""Entity group transactions: several operations as one multipart request, of which all take place or none.

What comes back is read strictly: anything but the one form that a store gives means that the outcome is unknown.

https://learn.microsoft.com/rest/api/storageservices/performing-entity-group-transactions
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from secrets import token_hex
from typing import Final

from shared.adapters.tables.requests import Answer, Request, error_of, unexpected

_HEAD: Final = b"\n\n"
_MULTIPART: Final = re.compile(r"multipart/mixed; ?boundary=([\w'()+,./:=?-]{1,70})", re.ASCII)
_HTTP: Final = re.compile(rb"HTTP/1\.1 ([1-5][0-9]{2})(?: [^\n]*)?")
_ETAG: Final = re.compile(rb"^etag: ([!-~]+)$", re.IGNORECASE | re.MULTILINE)
_INDEX: Final = re.compile(r"([0-9]{1,2}):")


def batch(endpoint: str, requests: Sequence[Request]) -> Request:
    """The requests as one.

    Their paths and headers are ours, and their bodies are JSON in ASCII, which is one line: nothing in them can be a
    boundary, which nobody can guess anyway.
    """
    unique = token_hex(16)
    outer, inner = f"batch_{unique}", f"changeset_{unique}"
    lines = [f"--{outer}", f"Content-Type: multipart/mixed; boundary={inner}", ""]
    for number, request in enumerate(requests):
        lines += [
            f"--{inner}",
            "Content-Type: application/http",
            "Content-Transfer-Encoding: binary",
            f"Content-ID: {number}",
            "",
            f"{request.method} {endpoint}{request.path} HTTP/1.1",
            "Accept: application/json;odata=minimalmetadata",
            "DataServiceVersion: 3.0",
            *(f"{name}: {value}" for name, value in request.headers.items()),
            "",
            request.body.decode("ascii"),
        ]
    lines += [f"--{inner}--", f"--{outer}--", ""]
    headers = {"Content-Type": f"multipart/mixed; boundary={outer}"}
    puts_alone = all(request.may_be_repeated for request in requests)
    body = "\r\n".join(lines).encode("ascii")
    return Request(method="POST", path="/$batch", headers=headers, body=body, puts_alone=puts_alone)


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why none of the operations took place."""

    index: int | None
    """Which of them is the reason, if the store says so."""
    status: int
    """HTTP's status of the answer to it."""
    code: str | None
    """The store's name for the error, if it gave one."""


def outcome_of(answer: Answer, count: int) -> Failure | tuple[str, ...]:
    """The failure of a transaction of `count` operations; or, if all of them took place, the etags of what they wrote.

    Azure Table Storage ends lines with CR LF, and Cosmos DB some of them with LF.

    Raises:
        Unavailable: the answer does not say.
    """
    if answer.status != 202:  # noqa: PLR2004 - HTTP's number
        raise unexpected()
    try:
        (changes,) = _parts(answer.body.replace(b"\r\n", b"\n"), answer.headers.get("Content-Type", ""))
        headers, content = _divided(changes)
        responses = [_response(part) for part in _parts(content, headers["content-type"])]
    except (ValueError, KeyError) as error:
        raise unexpected() from error
    if len(responses) == count and all(status in (201, 204) for status, *_ in responses):
        return tuple(_etag(head) for _, head, _ in responses)
    ((status, _, body), *others) = responses
    if others or status < 400:  # noqa: PLR2004 - HTTP's number
        raise unexpected()
    return _failure(status, body, count)


def _failure(status: int, body: bytes, count: int) -> Failure:
    """The failure in an error, whose message begins with the index of the operation."""
    code, message = error_of(body)
    found = _INDEX.match(message)
    index = int(found[1]) if found and int(found[1]) < count else None
    return Failure(index=index, status=status, code=code)


def _parts(body: bytes, content_type: str) -> list[bytes]:
    """What stands between the boundaries (RFC 2046, section 5.1.1), of which the last one must be there.

    Raises:
        ValueError: it is malformed or cut off.
    """
    multipart = _MULTIPART.fullmatch(content_type)
    if multipart is None:
        raise ValueError("It is not in parts.")
    before, *parts, after = (b"\n" + body).split(b"\n--" + multipart[1].encode())
    if before or not parts or after.rstrip(b"\n") != b"--" or not all(part.startswith(b"\n") for part in parts):
        raise ValueError("The parts are malformed.")
    return [part.removeprefix(b"\n") for part in parts]


def _divided(part: bytes) -> tuple[dict[str, str], bytes]:
    """Headers and content of a part.

    Raises:
        ValueError: a header is malformed or comes twice.
    """
    head, found, content = part.partition(_HEAD)
    pairs = [line.split(": ", 1) for line in head.decode("ascii").split("\n")]
    headers = {name.lower(): value for name, value in pairs}
    if not found or len(headers) < len(pairs):
        raise ValueError("The headers are malformed.")
    return headers, content


def _response(part: bytes) -> tuple[int, bytes, bytes]:
    """Status, headers and body of the HTTP response in a part.

    Raises:
        ValueError: there is none.
    """
    headers, content = _divided(part)
    line, _, rest = content.partition(b"\n")
    status = _HTTP.fullmatch(line)
    if headers.get("content-type") != "application/http" or status is None:
        raise ValueError("It is not a response.")
    head, _, body = rest.partition(_HEAD)
    return int(status[1]), head, body


def _etag(head: bytes) -> str:
    """The etag among the headers of a response; empty if there is none."""
    found = _ETAG.search(head)
    return found[1].decode() if found else ""
