"""Rendering answers."""

from azure.functions import HttpResponse
from pydantic import BaseModel

from functions.edge.problems import EXPOSED

_PRIVATE = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


def document(
    model: BaseModel, *, status: int = 200, version: str | None = None, location: str | None = None
) -> HttpResponse:
    """A document, with its version as strong ETag."""
    headers = _PRIVATE
    if version is not None:
        headers = {**headers, **EXPOSED, "ETag": f'"{version}"'}
    if location is not None:
        headers = {**headers, **EXPOSED, "Location": location}
    return HttpResponse(
        model.model_dump_json(by_alias=True),
        status_code=status,
        mimetype="application/json",
        headers=headers,
    )


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
