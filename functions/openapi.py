"""The OpenAPI 3.1 document, generated from the routes and models, so that it cannot drift."""

import functools
import json
import re
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from typing import Any

from azure.functions import HttpRequest, HttpResponse
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from functions.edge.problems import INTERNAL, TYPE_PREFIX, every_kind
from functions.edge.requests import MERGE_PATCH, PAGE_SIZE, PAGE_SIZE_LIMIT
from functions.edge.routing import Caller, Endpoint, Routes
from functions.version import product_version
from shared.assembly import Services

_PARAMETER = re.compile(r"\{(\w+)\}")
_REFERENCE = "#/components/schemas/{model}"

type References = Mapping[Any, Any]


def openapi_routes(endpoints: Callable[[], Iterable[Endpoint]], services: Services) -> Routes:
    """The call that tells all calls.

    Args:
        endpoints: every endpoint of the app, asked for when the document is first read.
        services: where the service is reached, and where refusals are told.
    """
    routes = Routes("openapi", services.edge.telemetry)
    text = functools.cache(lambda: json.dumps(openapi(tuple(endpoints()), services.edge.public_url)))

    @routes.add("GET", "/openapi.json", caller=Caller.ANYBODY, gives={200: "application/json"})
    async def get_openapi(_req: HttpRequest) -> HttpResponse:
        """Describe this API."""
        return HttpResponse(text(), mimetype="application/json", headers={"Cache-Control": "public, max-age=300"})

    return routes


def openapi(endpoints: tuple[Endpoint, ...], public_url: str) -> dict[str, Any]:
    """The document (https://spec.openapis.org/oas/v3.1.0)."""
    inputs = {model for each in endpoints for model in each.takes.values() if model is not None}
    outputs = {model for each in endpoints for model in each.gives.values() if isinstance(model, type)}
    references, definitions = models_json_schema(
        [
            *((model, "validation") for model in sorted(inputs, key=_name)),
            *((model, "serialization") for model in sorted(outputs, key=_name)),
        ],
        ref_template=_REFERENCE,
    )
    paths: dict[str, dict[str, Any]] = {}
    for each in endpoints:
        paths.setdefault(each.path, {})[each.method.lower()] = _operation(each, references)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Azure SSO",
            "version": product_version(),
            "description": "Sign in with Microsoft Entra ID.",
        },
        "servers": [{"url": public_url}],
        "paths": paths,
        "components": {
            "schemas": {**definitions.get("$defs", {}), "Problem": _problem_schema()},
            "securitySchemes": {
                Caller.CONTROL_PANEL: {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
                Caller.APPLICATION: {"type": "apiKey", "in": "header", "name": "x-functions-key"},
            },
            "responses": {"Problem": {"description": "Refused", "content": _PROBLEM_CONTENT}},
        },
    }


def _name(model: type[BaseModel]) -> str:
    return model.__name__


def _operation(endpoint: Endpoint, references: References) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": endpoint.name,
        "summary": endpoint.summary,
        "tags": [endpoint.tag],
        "parameters": [*_parameters(endpoint)],
        "responses": {
            **{str(status): _answer(status, gives, references) for status, gives in endpoint.gives.items()},
            "default": {"$ref": "#/components/responses/Problem"},
        },
        "security": [] if endpoint.caller is Caller.ANYBODY else [{endpoint.caller: []}],
    }
    if endpoint.takes:
        operation["requestBody"] = {
            "required": not endpoint.body_optional,
            "content": {media: {"schema": _body(media, model, references)} for media, model in endpoint.takes.items()},
        }
    return operation


def _parameters(endpoint: Endpoint) -> Iterable[dict[str, Any]]:
    for name in _PARAMETER.findall(endpoint.path):
        yield {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
    for name in endpoint.parameters:
        yield {"name": name, "in": "query", "schema": _QUERY.get(name, {"type": "string"})}
    if endpoint.if_match is not None:
        required = endpoint.if_match == "required"
        yield {"name": "If-Match", "in": "header", "required": required, "schema": {"type": "string"}}


def _body(media: str, model: type[BaseModel] | None, references: References) -> Any:
    """What a body looks like. A merge patch names only what it changes, and says null for what it takes away."""
    if model is None:
        return {"type": "string"}
    if media != MERGE_PATCH:
        return references[(model, "validation")]
    schema = model.model_json_schema(ref_template=_REFERENCE)
    schema.pop("$defs", None)
    schema.pop("required", None)
    return schema


def _answer(status: int, gives: type[BaseModel] | str | None, references: References) -> dict[str, Any]:
    answer: dict[str, Any] = {"description": HTTPStatus(status).phrase}
    if isinstance(gives, type):
        answer["content"] = {"application/json": {"schema": references[(gives, "serialization")]}}
    elif gives is not None:
        answer["content"] = {gives: {}}
    return answer


_QUERY = {"pageSize": {"type": "integer", "minimum": 1, "maximum": PAGE_SIZE_LIMIT, "default": PAGE_SIZE}}


def _problem_schema() -> dict[str, Any]:
    """A problem document. Its types are known when everything that refuses is imported."""
    types = sorted({INTERNAL, *(TYPE_PREFIX + kind.slug for kind in every_kind())})
    return {
        "type": "object",
        "required": ["type", "title", "status", "detail", "instance"],
        "properties": {
            "type": {"type": "string", "enum": types},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string"},
            "instance": {"type": "string"},
            "errors": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {"field": {"type": "string"}, "detail": {"type": "string"}},
                },
            },
        },
    }


_PROBLEM_CONTENT = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
