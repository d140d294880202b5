"""The responses that a handler may return: the class is the status, and the brackets name the document."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

from azure.functions import HttpResponse
from pydantic import BaseModel

from functions.http.refusals import EXPOSED

_PRIVATE = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
_JSON = {"Content-Type": "application/json", **_PRIVATE}
"""Spelled out, because the worker finds out that a content type is missing only by an exception, which costs time."""


@dataclass(frozen=True, slots=True)
class Described:
    """The description of a response for the OpenAPI document."""

    status: int
    media: str | None = None
    model: type[BaseModel] | None = None


def in_json(document: BaseModel) -> str:
    """Render a document in JSON."""
    return document.model_dump_json(by_alias=True)


class JsonResponse[M: BaseModel](HttpResponse):
    """A document, optionally with its version as a strong ETag, and with its address as `Location`."""

    status: ClassVar[int]
    media: ClassVar[str | None] = "application/json"

    def __init__(self, document: M, *, version: str | None = None, location: str | None = None) -> None:
        headers = _JSON
        if version is not None:
            headers = {**headers, **EXPOSED, "ETag": f'"{version}"'}
        if location is not None:
            headers = {**headers, **EXPOSED, "Location": location}
        super().__init__(in_json(document), status_code=self.status, mimetype=self.media, headers=headers)


class Ok[M: BaseModel](JsonResponse[M]):
    """A document."""

    status = 200


class Often[M: BaseModel](Ok[M]):
    """A document that is in JSON already, for a call of every sign-in. All of them share their headers.

    To make headers takes as long as everything else in a response, even if there are none to be made, so this is a
    response without what azure.functions prepares for one. Whoever sends it adds no header.
    """

    status_code = Ok.status
    mimetype = Ok.media
    charset = "utf-8"
    headers = HttpResponse(headers=_JSON).headers

    def __init__(self, text: str) -> None:
        self._body = text.encode()

    def get_body(self) -> bytes:
        """The document."""
        return self._body


class Created[M: BaseModel](JsonResponse[M]):
    """The document of a resource that was created."""

    status = 201


class Down[M: BaseModel](JsonResponse[M]):
    """The document of a service that cannot work."""

    status = 503


type Put[M: BaseModel] = Ok[M] | Created[M]
"""The response to a PUT: 201 if it created the resource (RFC 9110, section 9.3.4)."""


def put[M: BaseModel](document: M, version: str, *, created: bool) -> Put[M]:
    """Respond to a PUT with the stored document."""
    return Created(document, version=version) if created else Ok(document, version=version)


class NoContent(HttpResponse):
    """Success without a document."""

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
"""A redirect of the browser with GET."""

type HtmlPage = Annotated[HttpResponse, Described(200, "text/html")]
"""A page. One that explains a refusal has another status, which the dialect describes."""

type WaitingPage = Annotated[HttpResponse, Described(202, "text/html")]
"""A page that waits for Microsoft, and loads itself again."""
