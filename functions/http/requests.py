"""Reads requests: ids, bodies, preconditions, pages. Each refusal explains what cannot be read."""

import re
from collections.abc import Callable
from urllib.parse import parse_qsl, urlsplit

from azure.functions import HttpRequest
from pydantic import BaseModel, JsonValue
from pydantic_core import to_json

from functions.http import negotiation
from functions.http.json_text import json_value, validated
from shared.kernel.names import AccountId, Name
from shared.kernel.refusals import (
    BodyLost,
    FieldFault,
    Invalid,
    Malformed,
    PreconditionRequired,
    Stale,
    TooLarge,
    UnsupportedMediaType,
)
from shared.kernel.versions import Expected
from shared.ports.entra import Answer

JSON = "application/json"
MERGE_PATCH = "application/merge-patch+json"

BODY_LIMIT = 256 * 1024
"""Bytes of one document."""

FILE_LIMIT = 16 * 1024 * 1024
"""Bytes of a file, which is read line by line."""

ARRAY_LIMIT = 2 * 1024 * 1024
"""Bytes of a JSON array, which is parsed in one step."""

_MOST_PARAMETERS = 100

PAGE_SIZE = 100
PAGE_SIZE_LIMIT = 1_000

_ENTITY_TAG = re.compile(r'(W/)?"([\x21\x23-\x7e]*)"')


def account_id(req: HttpRequest) -> AccountId:
    """The `accountId` in the path."""
    return path_name(req, "accountId", AccountId)


def path_name[N: Name](req: HttpRequest, parameter: str, name: type[N]) -> N:
    """A name in the path.

    Raises:
        Invalid: it does not have the form of such a name.
    """
    try:
        return name(req.route_params[parameter])
    except ValueError as fault:
        raise Invalid(
            "The path is invalid. Fix the parameters listed in `errors`.", [FieldFault(parameter, str(fault))]
        ) from None


def media_type(req: HttpRequest) -> str:
    """The content type without its parameters (RFC 9110, section 8.3.1)."""
    return str(req.headers.get("content-type", "")).partition(";")[0].strip().lower()


def raw_body(req: HttpRequest, *accepted: str, limit: int = BODY_LIMIT) -> bytes:
    """The body, if its type and size are accepted.

    Raises:
        UnsupportedMediaType: the content type is none of `accepted`, or the body is compressed.
        BodyLost: the body was sent without its length.
        TooLarge: the body is larger than `limit` bytes.
    """
    if media_type(req) not in accepted:
        raise UnsupportedMediaType(f"Send the body as {' or '.join(accepted)}, with that Content-Type.")
    headers = req.headers
    if "content-encoding" in headers and headers["content-encoding"].strip().lower() not in {"", "identity"}:
        raise UnsupportedMediaType("Compressed bodies are not read. Send it as it is, without Content-Encoding.")
    body = req.get_body()
    if not body and "content-length" not in headers:
        raise _body_lost()
    if len(body) > limit:
        raise TooLarge(f"The request body may be {limit // 1024} KiB at most. Send it in parts.")
    return body


def json_body[M: BaseModel](req: HttpRequest, model: type[M]) -> M:
    """The body, in JSON, as a model.

    Raises:
        Malformed: it is not JSON.
        Invalid: it does not fit the model; `errors` lists the fields.
    """
    return validated(model, json_text(req))


def json_text(req: HttpRequest) -> bytes:
    """The body, which is said to be JSON."""
    return raw_body(req, JSON)


def optional_json_body[M: BaseModel](req: HttpRequest, model: type[M]) -> M:
    """The body as a model, or the model's defaults where there is no body.

    Raises:
        BodyLost: there is a body, sent without its length.
    """
    if not req.get_body() and "transfer-encoding" in req.headers:
        raise _body_lost()
    return json_body(req, model) if req.get_body() else model()


def replacement[M: BaseModel](req: HttpRequest, model: type[M]) -> Callable[[BaseModel], M]:
    """The change that replaces the stored value with the body (PUT)."""
    new = json_body(req, model)
    return lambda _: new


def merge_patch[M: BaseModel](req: HttpRequest, model: type[M]) -> Callable[[BaseModel], M]:
    """The change that merges the body into the stored value (RFC 7396); `application/json` is read in the same way.

    Raises:
        Malformed: the body is not a JSON object.
    """
    patch = json_value(raw_body(req, MERGE_PATCH, JSON))
    if not isinstance(patch, dict):
        raise Malformed("A merge patch must be a JSON object with the fields to change.")

    def apply(current: BaseModel) -> M:
        merged = merged_with(current.model_dump(mode="json", by_alias=True), patch)
        return validated(model, to_json(merged))

    return apply


def merged_with(target: JsonValue, patch: JsonValue) -> JsonValue:
    """Apply a merge patch, exactly as in RFC 7396, section 2."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = merged_with(merged.get(name), value)
    return merged


def if_match(req: HttpRequest) -> Expected:
    """The versions that the caller has read. Weak tags match nothing (RFC 9110, section 13.1.1).

    Raises:
        PreconditionRequired: the header is missing.
        Stale: it has weak tags only.
        Malformed: it has no entity tag.
    """
    expected = optional_if_match(req)
    if expected is None:
        raise PreconditionRequired("Send If-Match with the ETag that you read, or * to change any version.")
    return expected


def optional_if_match(req: HttpRequest) -> Expected | None:
    """The versions that the caller has read; None without the header, for calls that may create."""
    header = req.headers.get("if-match")
    if header is None:
        return None
    if header.strip() == "*":
        return Expected(None)
    tags = _ENTITY_TAG.findall(header)
    if not tags:
        raise Malformed('If-Match holds entity tags in quotation marks, such as "abc", or *.')
    strong = frozenset(tag for weak, tag in tags if not weak)
    if not strong:
        raise Stale(
            'If-Match holds weak tags (W/"…") only, which match nothing. Send the ETag as this service sent it: '
            "something on the way, such as a proxy that compresses, has weakened it."
        )
    return Expected(strong)


def parameters(text: str, errors: str = "strict") -> dict[str, tuple[str, ...]]:
    """Every parameter of a query or form with every value that was sent. Names are case-sensitive.

    Args:
        text: the query, or the form's body.
        errors: what to do about bytes that are not UTF-8, as in `bytes.decode`.

    Raises:
        Malformed: it cannot be read.
    """
    try:
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=_MOST_PARAMETERS, errors=errors)
    except ValueError:
        raise Malformed("The parameters cannot be read.") from None
    collected: dict[str, tuple[str, ...]] = {}
    for name, value in pairs:
        collected[name] = (*collected.get(name, ()), value)
    return collected


def query_text(req: HttpRequest) -> str:
    """The query as it was sent.

    Raises:
        Malformed: the address cannot be read.
    """
    try:
        return str(urlsplit(req.url).query)
    except ValueError:
        raise Malformed("The address cannot be read.") from None


def query_of(req: HttpRequest) -> dict[str, str]:
    """The query parameters, each of which may be sent once (RFC 6749, section 3.1).

    They are read from the address, because in `HttpRequest.params` the host joins the values of names that are sent
    twice, or differ only in case, under the first name.

    Raises:
        Malformed: the query cannot be read, or has a parameter twice.
    """
    sent = parameters(query_text(req), errors="replace")
    if any(len(values) > 1 for values in sent.values()):
        raise Malformed("The query holds a parameter twice. Send each once.")
    return {name: value for name, (value,) in sent.items()}


def query_value(req: HttpRequest, parameter: str) -> str | None:
    """One query parameter; None if it is missing.

    Raises:
        Malformed: the query cannot be read.
    """
    return query_of(req).get(parameter)


def page_of(req: HttpRequest) -> tuple[int, str | None]:
    """The query's `pageSize` and `continuationToken`.

    Raises:
        Malformed: the query cannot be read.
        Invalid: the size is not a number from 1 to 1000.
    """
    query = query_of(req)
    size = query.get("pageSize", str(PAGE_SIZE))
    if not re.fullmatch(r"[0-9]{1,4}", size) or not 1 <= int(size) <= PAGE_SIZE_LIMIT:
        fault = FieldFault("pageSize", f"It must be a whole number from 1 to {PAGE_SIZE_LIMIT}.")
        raise Invalid("The query is invalid. Fix the parameters listed in `errors`.", [fault])
    return int(size), query.get("continuationToken") or None


def microsofts_answer(req: HttpRequest) -> Answer:
    """The query with which a browser returns from Microsoft. Nothing in it is verified.

    Raises:
        Malformed: the query cannot be read.
    """
    query = {name: value for name, value in query_of(req).items() if value}
    return Answer(
        state=query.get("state"),
        error=query.get("error"),
        error_description=query.get("error_description", ""),
        admin_consent=query.get("admin_consent"),
        tenant=query.get("tenant"),
        code=query.get("code"),
    )


def prefers(req: HttpRequest, media: str, default: str = JSON) -> bool:
    """Whether the caller prefers this type to the default."""
    return negotiation.prefers(req.headers.get("accept", ""), media, default)


def _body_lost() -> BodyLost:
    """Azure passes on a body only with its length: https://github.com/Azure/azure-functions-host/issues/7930."""
    return BodyLost(
        "The body did not arrive. Send it with a Content-Length: bodies in chunks do not reach this service."
    )
