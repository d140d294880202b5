"""The OpenAPI 3.1 document, generated from the endpoints and models, so that it cannot drift."""

import functools
import json
import re
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from typing import Any, ClassVar, TypeGuard, is_typeddict

from azure.functions import HttpResponse
from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import models_json_schema

from functions.http.dialects import INTERNAL, TYPE_PREFIX
from functions.http.endpoint import Endpoint, Routes
from functions.http.refusals import every_kind
from functions.http.requests import MERGE_PATCH, PAGE_SIZE, PAGE_SIZE_LIMIT
from functions.http.roles import CONTROL_PANEL, FUNCTION_KEY, PORTAL, Anybody
from functions.version import product_version
from shared.kernel.names import AccountId
from shared.services import Services

_PARAMETER = re.compile(r"\{(\w+)\}")
_REFERENCE = "#/components/schemas/{model}"

type References = Mapping[Any, Any]


class OpenApiResponse(HttpResponse):
    """The document, which caches may keep for five minutes."""

    status: ClassVar = 200
    media: ClassVar = "application/json"

    def __init__(self, text: str) -> None:
        super().__init__(text, mimetype=self.media, headers={"Cache-Control": "public, max-age=300"})


def openapi_routes(services: Services, endpoints: Callable[[], Iterable[Endpoint]]) -> Routes:
    """The endpoint that describes all endpoints.

    Args:
        services: where the service is reached, and where refusals are reported.
        endpoints: returns every endpoint of the app; called when the document is first requested.
    """
    routes = Routes("openapi", services.edge)
    text = functools.cache(lambda: json.dumps(openapi(tuple(endpoints()), services.edge.public_url)))

    @routes.get("/openapi.json")
    async def get_openapi(_: Anybody) -> OpenApiResponse:
        """Describe this API."""
        return OpenApiResponse(text())

    return routes


def openapi(endpoints: tuple[Endpoint, ...], public_url: str) -> dict[str, Any]:
    """The document (https://spec.openapis.org/oas/v3.1.0)."""
    inputs = {model for each in endpoints for model in each.takes.values() if _is_model(model)}
    outputs = {response.model for each in endpoints for response in each.responses if response.model is not None}
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
            "schemas": {**definitions.get("$defs", {}), "Problem": _problem_schema(), "OAuthError": _OAUTH_ERROR},
            "securitySchemes": {
                CONTROL_PANEL: {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
                PORTAL: {"type": "apiKey", "in": "cookie", "name": "__Host-azure-sso-portal-…"},
                FUNCTION_KEY: {"type": "apiKey", "in": "header", "name": "x-functions-key"},
            },
            "responses": {name: {"description": "Refused", "content": _REFUSALS[name]} for name in sorted(_REFUSALS)},
        },
    }


def _name(model: type[BaseModel]) -> str:
    return model.__name__


def _is_model(described: type | None) -> TypeGuard[type[BaseModel]]:
    return described is not None and not is_typeddict(described)


def _operation(endpoint: Endpoint, references: References) -> dict[str, Any]:
    scheme = endpoint.demand.scheme
    operation: dict[str, Any] = {
        "operationId": endpoint.name,
        "summary": endpoint.summary,
        "tags": [endpoint.tag],
        "parameters": [*_parameters(endpoint)],
        "responses": {
            **_responses(endpoint, references),
            "default": {"$ref": f"#/components/responses/{endpoint.dialect.name}"},
        },
        "security": [] if scheme is None else [{scheme: []}],
    }
    if endpoint.takes:
        operation["requestBody"] = {
            "required": not any(each.source.body_optional for each in endpoint.parameters),
            "content": {media: {"schema": _body(media, model, references)} for media, model in endpoint.takes.items()},
        }
    return operation


def _parameters(endpoint: Endpoint) -> Iterable[dict[str, Any]]:
    names = {each.name: each.wanted for each in endpoint.parameters}
    for name in _PARAMETER.findall(endpoint.path):
        schema = TypeAdapter(names.get(name, _PATH.get(name, str))).json_schema()
        yield {"name": name, "in": "path", "required": True, "schema": schema}
    for each in endpoint.parameters:
        if endpoint.method == "GET" and is_typeddict(each.wanted):
            yield from _oauth_parameters(each.wanted)
        for name in each.source.queries(each.name):
            yield {"name": name, "in": "query", "schema": _QUERY.get(name, {"type": "string"})}
        if each.source.if_match is not None:
            required = each.source.if_match == "required"
            yield {"name": "If-Match", "in": "header", "required": required, "schema": {"type": "string"}}


def _oauth_parameters(described: type) -> Iterable[dict[str, Any]]:
    """The parameters of an OAuth request in the query."""
    schema = TypeAdapter(described).json_schema(ref_template=_REFERENCE)
    for name, value in schema["properties"].items():
        yield {"name": name, "in": "query", "required": name in schema.get("required", ()), "schema": value}


def _body(media: str, model: type | None, references: References) -> Any:
    """The schema of a body. A merge patch names only the fields that it changes, and null removes a field."""
    if model is None:
        return {"type": "string"}
    if not _is_model(model):
        return TypeAdapter(model).json_schema(ref_template=_REFERENCE)
    if media != MERGE_PATCH:
        return references[(model, "validation")]
    schema = model.model_json_schema(ref_template=_REFERENCE)
    schema.pop("$defs", None)
    schema.pop("required", None)
    return schema


def _responses(endpoint: Endpoint, references: References) -> dict[str, Any]:
    responses: dict[str, Any] = {}
    for each in endpoint.responses:
        response = responses.setdefault(str(each.status), {"description": HTTPStatus(each.status).phrase})
        if each.media is not None:
            schema = {"schema": references[(each.model, "serialization")]} if each.model else {}
            response.setdefault("content", {})[each.media] = schema
    return responses


def _problem_schema() -> dict[str, Any]:
    """The schema of a problem document. Its types are complete once every module with refusals is imported."""
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


_PATH = {"accountId": AccountId}
"""Path parameters that a role reads."""

_QUERY = {"pageSize": {"type": "integer", "minimum": 1, "maximum": PAGE_SIZE_LIMIT, "default": PAGE_SIZE}}
_OAUTH_ERROR = {
    "type": "object",
    "description": "An error (RFC 6749, section 5.2). It is empty where no token was sent (RFC 6750, section 3.1).",
    "properties": {"error": {"type": "string"}, "error_description": {"type": "string"}},
}

_REFUSALS: Mapping[str, Any] = {
    "Problem": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
    "OAuthError": {"application/json": {"schema": {"$ref": "#/components/schemas/OAuthError"}}},
    "Page": {"text/html": {}},
}
"""The content of a refusal in each dialect."""
