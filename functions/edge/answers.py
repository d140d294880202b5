"""Rendering answers."""

from azure.functions import HttpResponse
from pydantic import BaseModel

from functions.edge.problems import EXPOSED

_PRIVATE = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
_JSON = {"Content-Type": "application/json", **_PRIVATE}
"""The worker adds a content type that is not among the headers, but finds out by an exception that it is missing."""


def document(
    model: BaseModel, *, status: int = 200, version: str | None = None, location: str | None = None
) -> HttpResponse:
    """A document, with its version as strong ETag."""
    return written(in_json(model), status=status, version=version, location=location)


def in_json(model: BaseModel) -> str:
    """A document as it is sent."""
    return model.model_dump_json(by_alias=True)


def written(text: str, *, status: int = 200, version: str | None = None, location: str | None = None) -> HttpResponse:
    """The same of a document that is in JSON already."""
    headers = _JSON
    if version is not None:
        headers = {**headers, **EXPOSED, "ETag": f'"{version}"'}
    if location is not None:
        headers = {**headers, **EXPOSED, "Location": location}
    return HttpResponse(text, status_code=status, mimetype="application/json", headers=headers)


def put_document(model: BaseModel, version: str, *, created: bool) -> HttpResponse:
    """What stands after a PUT: 201 if nothing stood there before (RFC 9110, section 9.3.4)."""
    return document(model, status=201 if created else 200, version=version)


def no_content() -> HttpResponse:
    """Done, and nothing to say."""
    return HttpResponse(status_code=204, headers=_PRIVATE)


def csv_file(content: bytes, name: str) -> HttpResponse:
    """A CSV file to save."""
    headers = {**_PRIVATE, "Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(content, mimetype="text/csv", charset="utf-8", headers=headers)
