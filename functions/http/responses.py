"""What a handler may return: the class of a response is its status, and names its document."""

from typing import ClassVar

from azure.functions import HttpResponse
from pydantic import BaseModel

from functions.edge.answers import _JSON, _PRIVATE, in_json
from functions.edge.problems import EXPOSED


class JsonResponse[M: BaseModel](HttpResponse):
    """A document, perhaps with its version as strong ETag, and where it can be read."""

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


class Created[M: BaseModel](JsonResponse[M]):
    """The document of what has been made."""

    status = 201


class NoContent(HttpResponse):
    """Done, and nothing to report."""

    status: ClassVar = 204
    media: ClassVar = None

    def __init__(self) -> None:
        super().__init__(status_code=self.status, headers=_PRIVATE)
