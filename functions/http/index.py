"""The index: what Azure must know of each endpoint before any of them is called.

`functions/index.json` is written by `make openapi` from the endpoints themselves, and a test compares the two. The app
registers its functions from it, so that it imports a resource only when one of its functions is called.
"""

import json
from pathlib import Path
from typing import Final, NamedTuple

from azure.functions import AuthLevel, FunctionApp

from functions.http.invocation import Answer

FILE: Final = Path(__file__).parents[1] / "index.json"


class Indexed(NamedTuple):
    """One endpoint, as Azure knows it."""

    resource: str
    """The function that returns the routes of its resource, as `module:name`."""
    function: str
    """The name of the function."""
    method: str
    """The method."""
    path: str
    """The path."""
    level: str
    """The key that Azure itself demands: the name of an `AuthLevel`."""
    dialect: str
    """The name of the dialect, in which the app reports an error if the resource cannot be imported."""


def read_index(file: Path = FILE) -> tuple[Indexed, ...]:
    """Every endpoint, in the order of the OpenAPI document."""
    return tuple(Indexed(**each) for each in json.loads(file.read_text(encoding="utf-8")))


def written(index: tuple[Indexed, ...]) -> str:
    """The index as the file has it: a line for each endpoint."""
    return "[\n" + ",\n".join(f"  {json.dumps(each._asdict())}" for each in index) + "\n]\n"


def register(app: FunctionApp, indexed: Indexed, answer: Answer) -> None:
    """Make an endpoint an Azure function. HEAD is GET without the content (RFC 9110, section 9.3.2)."""
    methods = ["GET", "HEAD"] if indexed.method == "GET" else [indexed.method]
    level = AuthLevel[indexed.level]
    route = app.route(route=indexed.path.lstrip("/"), methods=methods, auth_level=level)
    app.function_name(indexed.function)(route(answer))
