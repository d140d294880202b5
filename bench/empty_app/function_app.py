"""The service with one more function, which does nothing: the cost of the host and the worker library alone.

It takes the same request and the same key as resolve, and its name sorts next to it, since the host tries routes by the
names of their functions. It shares resolve's process, since garbage collection covers everything that the service has
imported.
"""

import sys
from pathlib import Path

from azure.functions import AuthLevel, HttpRequest, HttpResponse

sys.path.append(str(Path(__file__).parents[2]))  # last, as the worker has the root of an app

from functions.app import build_app
from shared.settings import read_settings
from shared.wiring import build_services

app = build_app(build_services(read_settings()))


@app.route(route="v1/nothing", methods=["POST"], auth_level=AuthLevel.FUNCTION)
async def resolve_empty(req: HttpRequest) -> HttpResponse:  # noqa: ARG001 - the worker demands it
    """Respond, and do nothing else."""
    return HttpResponse('{"method":"password"}', mimetype="application/json")
