"""The service with one more function: what its process holds, which nobody sees from outside.

A collection comes first, so that what is counted is what somebody refers to, and not garbage that waits.
"""

import asyncio
import gc
import json
import secrets
import sys
import threading
from pathlib import Path

from azure.functions import AuthLevel, HttpRequest, HttpResponse
from pydantic_core import from_json

sys.path.append(str(Path(__file__).parents[3]))  # last, as the worker has the root of an app

from functions.app import build_app
from shared.settings import read_settings
from shared.wiring import build_services

# pydantic keeps 16,384 short strings that it has read in JSON, whosever they were. Their room is taken at once here: it
# would fill slowly, and look like a leak (https://docs.pydantic.dev/latest/concepts/json/).
from_json(json.dumps([secrets.token_hex(8) for _ in range(100_000)]), cache_strings="all")

app = build_app(build_services(read_settings()))


@app.route(route="v1/vitals", methods=["GET"], auth_level=AuthLevel.FUNCTION)
async def show_vitals(req: HttpRequest) -> HttpResponse:  # noqa: ARG001 - the worker demands it
    """Count what is alive in this process."""
    gc.collect()
    vitals = {
        "blocks": sys.getallocatedblocks(),
        "tasks": len(asyncio.all_tasks()),
        "threads": threading.active_count(),
    }
    return HttpResponse(json.dumps(vitals), mimetype="application/json")
