"""The service with one more function: what its process holds, which nobody sees from outside.

Caches are emptied and a collection comes first, so that what is counted is what somebody refers to for good: neither
garbage that waits nor what a cache keeps, which has a bound (`tests/unit`) and which it may lose at any moment.
"""

import asyncio
import ctypes
import gc
import json
import secrets
import sys
import threading
from functools import lru_cache
from pathlib import Path

from azure.functions import AuthLevel, HttpRequest, HttpResponse
from pydantic_core import from_json

sys.path.append(str(Path(__file__).parents[3]))  # last, as the worker has the root of an app

from functions.app import build_app
from shared.adapters import azure_sdk, web
from shared.kernel.caches import BoundedCache
from shared.settings import read_settings
from shared.wiring import build_services

# pydantic keeps 16,384 short strings that it has read in JSON, whosever they were. Their room is taken at once here: it
# would fill slowly, and look like a leak (https://docs.pydantic.dev/latest/concepts/json/).
from_json(json.dumps([secrets.token_hex(8) for _ in range(100_000)]), cache_strings="all")

# A client's secret is proven with 16 MB, for a moment. After the first time, glibc would keep as much for each thread
# that proves one, sooner or later: from a megabyte on, memory shall go back at once (mallopt(3), M_MMAP_THRESHOLD).
ctypes.CDLL(None).mallopt(-3, 1 << 20)

# A busy machine is no outage, and how soon the service sees one is not asked here.
azure_sdk.RESPONSIVE.update(connection_timeout=60, read_timeout=60)
web.CONNECT_SECONDS = web.TIMEOUT_SECONDS = 60

_LRU_CACHE = type(lru_cache(lambda: None))

app = build_app(build_services(read_settings()))


@app.route(route="v1/vitals", methods=["GET"], auth_level=AuthLevel.FUNCTION)
async def show_vitals(req: HttpRequest) -> HttpResponse:  # noqa: ARG001 - the worker demands it
    """Count what is alive in this process."""
    _empty_caches()
    gc.collect()
    vitals = {
        "blocks": sys.getallocatedblocks(),
        "tasks": len(asyncio.all_tasks()),
        "threads": threading.active_count(),
    }
    return HttpResponse(json.dumps(vitals), mimetype="application/json")


def _empty_caches() -> None:
    """Empty those that have a bound; what `functools.cache` keeps has none, and is counted."""
    for each in gc.get_objects():
        if type(each) is BoundedCache:
            for key in [*each]:
                each.drop(key)
        elif type(each) is _LRU_CACHE and each.cache_parameters()["maxsize"] is not None:
            each.cache_clear()
