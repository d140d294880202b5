"""The service with one function more, which does nothing: what the host and the worker library cost by themselves.

It takes the same request as resolve does, wants the same key and stands beside it, since the host tries routes by the
names of their functions, and Python collects garbage among all that the service has imported, whoever is asked.
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
    """Answer, and do nothing else."""
    return HttpResponse('{"method":"password"}', mimetype="application/json")
