"""The OpenAPI 3.1 document, generated from the routes and models, so that it cannot drift."""

import functools
import json
import re
from collections.abc import Callable, Iterable
from typing import Any

from azure.functions import HttpRequest, HttpResponse
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from functions.edge.problems import STATUS, TYPE_PREFIX
from functions.edge.routing import Caller, Endpoint, Routes

_PARAMETER = re.compile(r"\{(\w+)\}")
_VERSION = "1.0.0"


def openapi_routes(endpoints: Callable[[], Iterable[Endpoint]], public_url: str) -> Routes:
    """The call that tells all calls.

    Args:
        endpoints: every endpoint of the app, asked for when the document is first read.
        public_url: where the service is reached.
    """
    routes = Routes("openapi")
    text = functools.cache(lambda: json.dumps(openapi(tuple(endpoints()), public_url)))

    @routes.add("GET", "/openapi.json", caller=Caller.ANYBODY, gives="application/json")
    async def get_openapi(_req: HttpRequest) -> HttpResponse:
        """Describe this API."""
        return HttpResponse(text(), mimetype="application/json", headers={"Cache-Control": "public, max-age=300"})

    return routes


def openapi(endpoints: tuple[Endpoint, ...], public_url: str) -> dict[str, Any]:
    """The document (https://spec.openapis.org/oas/v3.1.0)."""
    inputs = {model for each in endpoints for model in each.takes.values() if model is not None}
    outputs = {each.gives for each in endpoints if isinstance(each.gives, type)}
    references, definitions = models_json_schema(
        [
            *((model, "validation") for model in sorted(inputs, key=_name)),
            *((model, "serialization") for model in sorted(outputs, key=_name)),
        ],
        ref_template="#/components/schemas/{model}",
    )
    paths: dict[str, dict[str, Any]] = {}
    for each in endpoints:
        paths.setdefault(each.path, {})[each.method.lower()] = _operation(each, references)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Azure SSO",
            "version": _VERSION,
            "description": "Sign in with Microsoft Entra ID.",
        },
        "servers": [{"url": public_url}],
        "paths": paths,
        "components": {
            "schemas": {**definitions.get("$defs", {}), "Problem": _PROBLEM},
            "securitySchemes": {
                Caller.CONTROL_PANEL: {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
                Caller.APPLICATION: {"type": "apiKey", "in": "header", "name": "x-functions-key"},
            },
            "responses": {"Problem": {"description": "Refused", "content": _PROBLEM_CONTENT}},
        },
    }


def _name(model: type[BaseModel]) -> str:
    return model.__name__


def _operation(endpoint: Endpoint, references: dict[Any, Any]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": endpoint.name,
        "summary": endpoint.summary,
        "tags": [endpoint.tag],
        "parameters": [*_parameters(endpoint)],
        "responses": {
            str(endpoint.status): _answer(endpoint, references),
            "default": {"$ref": "#/components/responses/Problem"},
        },
        "security": [] if endpoint.caller is Caller.ANYBODY else [{endpoint.caller: []}],
    }
    if endpoint.takes:
        operation["requestBody"] = {
            "content": {
                media: {"schema": references[(model, "validation")] if model else {"type": "string"}}
                for media, model in endpoint.takes.items()
            }
        }
    return operation


def _parameters(endpoint: Endpoint) -> Iterable[dict[str, Any]]:
    for name in _PARAMETER.findall(endpoint.path):
        yield {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
    for name in endpoint.parameters:
        yield {"name": name, "in": "query", "schema": {"type": "string"}}
    if endpoint.changes:
        yield {"name": "If-Match", "in": "header", "required": True, "schema": {"type": "string"}}


def _answer(endpoint: Endpoint, references: dict[Any, Any]) -> dict[str, Any]:
    if isinstance(endpoint.gives, type):
        schema = references[(endpoint.gives, "serialization")]
        return {"description": endpoint.summary, "content": {"application/json": {"schema": schema}}}
    if endpoint.gives is not None:
        return {"description": endpoint.summary, "content": {endpoint.gives: {}}}
    return {"description": endpoint.summary}


_PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "instance"],
    "properties": {
        "type": {"type": "string", "enum": sorted({TYPE_PREFIX + refusal.slug for refusal in STATUS})},
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
