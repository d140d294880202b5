"""The parameters that a handler may take: the type of each names where its value comes from.

These are aliases: to mypy and to the handler, `Body[PolicyBody]` is a `PolicyBody`, and `IfMatch` is an `Expected`.
They are evaluated when an endpoint is first called or described.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, Literal

from azure.functions import HttpRequest
from pydantic import BaseModel

from functions.http import requests
from functions.http.authorization import authorization, unverified_token
from functions.http.forms import FORM, parameters_of
from functions.http.requests import JSON, MERGE_PATCH
from shared.kernel.names import Name
from shared.kernel.refusals import Malformed
from shared.kernel.versions import Expected
from shared.ports.entra import Answer

type Reader = Callable[[HttpRequest], Any]
"""Reads the value of a parameter, or raises a refusal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The source of a parameter's value, and its description for the OpenAPI document."""

    read: Callable[..., Any]
    """Reads the value from the request, or raises a refusal."""
    query: tuple[str, ...] = ()
    """Query parameters that it reads."""
    media: tuple[str, ...] = ()
    """Content types of the body that it reads, described by the model."""
    raw_media: tuple[str, ...] = ()
    """Content types of the body that it reads, without a model."""
    model: type[BaseModel] | None = None
    """The model, for a source that does not have it in its brackets."""
    if_match: Literal["required", "optional"] | None = None
    """Whether it reads `If-Match`, and whether callers must send it."""
    body_optional: bool = False
    """Whether callers may leave out the body."""

    def reader(self, _parameter: str, _wanted: Any) -> Reader:
        """Return the reader for a handler's parameter.

        Args:
            _parameter: its name, as the API writes it.
            _wanted: the type in the brackets, such as the model of `Body[Model]`.
        """
        return self.read

    def queries(self, _parameter: str) -> tuple[str, ...]:
        """Return the query parameters that it reads."""
        return self.query


class OfModel(Source):
    """A source that reads a model."""

    def reader(self, _parameter: str, wanted: Any) -> Reader:
        """See `Source`."""
        return partial(self.read, model=wanted)


class InQuery(Source):
    """One parameter of the query, which has the parameter's name."""

    def reader(self, parameter: str, _wanted: Any) -> Reader:
        """See `Source`."""
        return partial(self.read, parameter=parameter)

    def queries(self, parameter: str) -> tuple[str, ...]:
        """See `Source`."""
        return (parameter,)


class InPath(Source):
    """A name that is part of the path."""

    def reader(self, parameter: str, wanted: Any) -> Reader:
        """See `Source`."""
        return partial(self.read, parameter=parameter, name=wanted)


type Path[N: Name] = Annotated[N, InPath(read=requests.path_name)]
"""A name in the path: `account_id: Path[AccountId]` is `{accountId}`."""

type Query = Annotated[str | None, InQuery(read=requests.query_value)]
"""A query parameter: `ticket: Query` is `?ticket=`. None if it is missing."""

PAGE_PARAMETERS = ("pageSize", "continuationToken")

type Page = Annotated[tuple[int, str | None], Source(read=requests.page_of, query=PAGE_PARAMETERS)]
"""The page size, and the continuation token; None for the first page."""

type Body[M: BaseModel] = Annotated[M, OfModel(read=requests.json_body, media=(JSON,))]
"""The body, in JSON."""

type UnreadBody[M: BaseModel] = Annotated[bytes, Source(read=requests.json_text, media=(JSON,))]
"""The body, in JSON, not parsed yet, for a call whose body often comes again."""

type OptionalBody[M: BaseModel] = Annotated[
    M, OfModel(read=requests.optional_json_body, media=(JSON,), body_optional=True)
]
"""The body, in JSON, or the model's defaults if there is no body."""

type Replacement[M: BaseModel] = Annotated[Callable[[BaseModel], M], OfModel(read=requests.replacement, media=(JSON,))]
"""The body, in JSON, as a change that replaces the stored value (PUT)."""

type MergePatch[M: BaseModel] = Annotated[
    Callable[[BaseModel], M], OfModel(read=requests.merge_patch, media=(MERGE_PATCH, JSON))
]
"""The body as a merge patch of the stored value (PATCH; RFC 7396). `application/json` is read as a merge patch, too."""

type IfMatch = Annotated[Expected, Source(read=requests.if_match, if_match="required")]
"""The versions that the caller has read."""

type OptionalIfMatch = Annotated[Expected | None, Source(read=requests.optional_if_match, if_match="optional")]
"""The versions that the caller has read; None without the header, for calls that may create."""


def _token_by_form(req: HttpRequest) -> str:
    """The token in the Authorization header or in the `access_token` of a form, in one of them (RFC 6750, section 2).

    Raises:
        TokenMissing: there is none.
        Malformed: there are several.
    """
    sent = parameters_of(req).get("access_token", ()) if requests.media_type(req) == FORM else ()
    if not sent:
        return unverified_token(req)
    if len(sent) > 1 or authorization(req) is not None:
        raise Malformed("Send the access token once: in the Authorization header, or as access_token in the form.")
    return sent[0]


type Form = Annotated[Mapping[str, tuple[str, ...]], Source(read=parameters_of, raw_media=(FORM,))]
"""Every parameter of a form, with every value that was sent."""

type OAuth[P] = Annotated[Mapping[str, tuple[str, ...]], Source(read=parameters_of, media=(FORM,))]
"""Every parameter of an OAuth request, with every value that was sent: in the query (GET) or in a form (POST).

The brackets hold a `TypedDict` that describes the parameters that the provider reads. The provider checks them.
"""

type Request = Annotated[HttpRequest, Source(read=lambda req: req)]
"""The request, for its cookies."""

type MicrosoftsAnswer = Annotated[
    Answer,
    Source(
        read=requests.microsofts_answer,
        query=("state", "error", "error_description", "admin_consent", "tenant", "code"),
    ),
]
"""The query with which the browser returns from Microsoft. Nothing in it is verified."""

type UnverifiedToken = Annotated[str, Source(read=unverified_token)]
"""The bearer token, not verified yet."""

type UnverifiedTokenByForm = Annotated[str, Source(read=_token_by_form, raw_media=(FORM,), body_optional=True)]
"""The bearer token in the header or in a form, not verified yet."""

type Authorization = Annotated[str | None, Source(read=authorization)]
"""The `Authorization` header as it was sent."""
