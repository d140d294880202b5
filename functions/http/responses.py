"""What a handler may return: the class of a response is its status, and its brackets name the document."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

from azure.functions import HttpResponse
from pydantic import BaseModel

from functions.http.refusals import EXPOSED

_PRIVATE = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
_JSON = {"Content-Type": "application/json", **_PRIVATE}
"""The worker adds a content type that is not among the headers, but finds out by an exception that it is missing."""


@dataclass(frozen=True, slots=True)
class Described:
    """What the OpenAPI document reports about a response."""

    status: int
    media: str | None = None
    model: type[BaseModel] | None = None


def in_json(document: BaseModel) -> str:
    """Render a document as it is sent."""
    return document.model_dump_json(by_alias=True)


class Rendered[M: BaseModel](str):
    """A document in JSON, for one that is sent many times."""

    __slots__ = ()


class JsonResponse[M: BaseModel](HttpResponse):
    """A document, perhaps with its version as strong ETag, and with the address where it can be read."""

    status: ClassVar[int]
    media: ClassVar[str | None] = "application/json"

    def __init__(self, document: M | Rendered[M], *, version: str | None = None, location: str | None = None) -> None:
        headers = _JSON
        if version is not None:
            headers = {**headers, **EXPOSED, "ETag": f'"{version}"'}
        if location is not None:
            headers = {**headers, **EXPOSED, "Location": location}
        text = document if isinstance(document, Rendered) else in_json(document)
        super().__init__(text, status_code=self.status, mimetype=self.media, headers=headers)


class Ok[M: BaseModel](JsonResponse[M]):
    """A document."""

    status = 200


class Created[M: BaseModel](JsonResponse[M]):
    """The document of what has been made."""

    status = 201


class Down[M: BaseModel](JsonResponse[M]):
    """The document of a service that cannot work."""

    status = 503


type Put[M: BaseModel] = Ok[M] | Created[M]
"""What a PUT returns: 201 if there was nothing before (RFC 9110, section 9.3.4)."""


def put[M: BaseModel](document: M, version: str, *, created: bool) -> Put[M]:
    """Respond to a PUT with what is stored now."""
    return Created(document, version=version) if created else Ok(document, version=version)


class NoContent(HttpResponse):
    """Done, and nothing to report."""

    status: ClassVar = 204
    media: ClassVar = None

    def __init__(self) -> None:
        super().__init__(status_code=self.status, headers=_PRIVATE)


class CsvFile(HttpResponse):
    """A CSV file to save."""

    status: ClassVar = 200
    media: ClassVar = "text/csv"

    def __init__(self, content: bytes, name: str) -> None:
        headers = {**_PRIVATE, "Content-Disposition": f'attachment; filename="{name}"'}
        super().__init__(content, mimetype=self.media, charset="utf-8", headers=headers)


type Redirect = Annotated[HttpResponse, Described(303)]
"""The browser is sent on with GET."""

type HtmlPage = Annotated[HttpResponse, Described(200, "text/html")]
"""A page. One that explains a refusal has another status, which the dialect describes."""
