"""Serving: an ASGI application that turns requests and timer ticks into invocations of the worker library.

What it does to a request is what Azure's .NET host does: the first route that fits, the key that the
function's `authLevel` asks for, then one invocation whose answer goes back as it is. A failed invocation is a
500 without a body; its traceback is in the log only. Timers run while the application's lifespan runs, that
is under uvicorn, not in tests; `POST /admin/functions/{name}` with the master key fires a function by name,
as in Azure, and answers when it has run.
"""

import asyncio
import hmac
import json
import logging
import os
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from secrets import token_hex
from time import perf_counter
from typing import Final
from urllib.parse import quote
from uuid import uuid4

from azure.functions import FunctionRegister
from azure_functions_runtime import get_threadpool_executor, start_threadpool_executor
from azure_functions_runtime.bindings.datumdef import Datum
from azure_functions_runtime.native_invocation import invocation_request_native
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from local.host.cookies import set_cookie_lines
from local.host.cors import Cors
from local.host.indexing import IndexedFunction, IndexingError, index
from local.host.routing import HttpRoute, Params, RouteError, RouteTable
from local.host.schedule import Schedule
from local.host.settings import MAX_BODY_BYTES, HostSettings

_log: Final = logging.getLogger("local.host")
_ADMIN: Final = "/admin/functions/"
_NEVER_HSTS: Final = frozenset({"localhost", "127.0.0.1", "::1"})
"""Hosts that ASP.NET's HSTS middleware leaves out, as it does requests over http."""


def create_host(app: Path | FunctionRegister, settings: HostSettings) -> Starlette:
    """Index `app` (a directory, or an app object for tests) and return the ASGI application that serves it.

    The app's settings must be in the environment before: see `HostSettings.apply_to`. The running host is at
    `.state.host`. Raises IndexingError.
    """
    host = Host(index(app), settings)
    cors = Middleware(Cors, settings.cors_origins, credentials=settings.cors_credentials)
    application = Starlette(middleware=[cors], lifespan=host.lifespan)
    application.router.default = host
    application.state.host = host
    return application


class Host:
    """An indexed app: its routes, its timers, and the one way to invoke its functions."""

    def __init__(self, functions: tuple[IndexedFunction, ...], settings: HostSettings) -> None:
        if get_threadpool_executor() is None:
            start_threadpool_executor()
        self._settings: Final = settings
        self.functions: Final[Mapping[str, IndexedFunction]] = {f.name.lower(): f for f in functions}
        try:
            self.routes: Final = RouteTable(_route(f, settings) for f in functions if f.trigger_type == "httpTrigger")
            self.timers: Final = {f.name: _schedule(f) for f in functions if f.trigger_type == "timerTrigger"}
        except (RouteError, ValueError) as fault:
            raise IndexingError(str(fault)) from fault

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request; anything else that ASGI knows has no counterpart in Azure Functions."""
        if scope["type"] == "http":
            request = Request(scope, receive)
            response = await self._answer(request)
            if self._settings.hsts and request.url.scheme == "https" and request.url.hostname not in _NEVER_HSTS:
                response.headers["strict-transport-security"] = self._settings.hsts
            if request.method == "HEAD":
                # As Kestrel, which gives the answer to HEAD no length of its own.
                del response.headers["content-length"]
            await response(scope, receive, send)

    @asynccontextmanager
    async def lifespan(self, _: Starlette) -> AsyncGenerator[None]:
        """Run the timers for as long as the application is served."""
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._tick(name, schedule)) for name, schedule in self.timers.items()]
            yield
            for task in tasks:
                task.cancel()

    async def _answer(self, request: Request) -> Response:
        path = _raw_path(request)
        if path.startswith(_ADMIN) and request.method == "POST":
            return await self._run_by_name(request, path.removeprefix(_ADMIN))
        found = self.routes.match(request.method, path)
        if found is None:
            return Response(status_code=404)
        function = self.functions[found[0].lower()]
        if not self._admits(request, str(function.trigger.get("authLevel", "FUNCTION")).upper()):
            return Response(status_code=401)
        try:
            body = await _read(request)
        except ClientDisconnect:
            return Response(status_code=400)
        if body is None:
            return Response(status_code=413)
        ok, answer = await self._invoke(function, _http_datum(request, found[1], body), _trace_parent(request))
        front_end = request.url.hostname if self._settings.fills_cookie_domains else None
        return _render(answer, front_end) if ok else Response(status_code=500)

    async def _run_by_name(self, request: Request, name: str) -> Response:
        if not self._admits(request, "ADMIN"):
            return Response(status_code=401)
        function = self.functions.get(name.lower())
        if function is None or function.trigger_type != "timerTrigger":
            return Response(status_code=404)
        ok, _ = await self._invoke(function, _timer_datum(None, past_due=False), _trace_parent(request))
        return Response(status_code=202 if ok else 500)

    def _admits(self, request: Request, level: str) -> bool:
        if level == "ANONYMOUS":
            return True
        given = request.headers.get("x-functions-key") or request.query_params.get("code") or ""
        master, function = self._settings.master_key, self._settings.function_key
        keys = [key for key in ((master,) if level == "ADMIN" else (master, function)) if key]
        return any(hmac.compare_digest(given.encode(), key.encode()) for key in keys)

    async def _invoke(self, function: IndexedFunction, datum: Datum, trace_parent: str) -> tuple[bool, Datum | None]:
        invocation_id, began = str(uuid4()), perf_counter()
        ok, answer, _, fault, _ = await invocation_request_native(
            invocation_id, function.function_id, [(function.parameter, datum)], {}, trace_parent
        )
        if not ok:
            # The worker has logged the traceback already.
            _log.error("Failed '%s' (Id=%s): %s", function.name, invocation_id, fault)
        elif _log.isEnabledFor(logging.INFO):
            _log.info("Executed '%s' (Id=%s, %d ms)", function.name, invocation_id, (perf_counter() - began) * 1000)
        return ok, answer

    async def _tick(self, name: str, schedule: Schedule) -> None:
        function = self.functions[name.lower()]
        last = None
        due = datetime.now(UTC) if function.trigger.get("runOnStartup") else schedule.next_after(datetime.now(UTC))
        while True:
            await asyncio.sleep(max(0.0, (due - datetime.now(UTC)).total_seconds()))
            late = datetime.now(UTC) - due > timedelta(seconds=1)
            await self._invoke(function, _timer_datum(last, past_due=late), _trace_parent(None))
            last, due = due, schedule.next_after(datetime.now(UTC))


def _route(function: IndexedFunction, settings: HostSettings) -> HttpRoute:
    route = function.trigger.get("route")
    methods = function.trigger.get("methods") or ()
    if not isinstance(methods, list | tuple):
        raise RouteError(f"{function.name}: methods must be a list.")
    template = function.name if route is None else str(route)
    return HttpRoute.compile(function.name, template, [str(m) for m in methods], settings.route_prefix)


def _schedule(function: IndexedFunction) -> Schedule:
    expression = str(function.trigger["schedule"])
    if expression.startswith("%") and expression.endswith("%"):
        # Azure reads a schedule between percent signs from the app's settings.
        expression = os.environ.get(expression.strip("%"), "")
    return Schedule.parse(expression)


async def _read(request: Request) -> bytes | None:
    """Read the body, or None as soon as it is longer than Azure takes.

    A body without Content-Length, which is one in chunks, does not reach the worker:
    https://github.com/Azure/azure-functions-host/issues/7930.
    """
    length = int(request.headers.get("content-length") or 0)
    if length > MAX_BODY_BYTES:
        return None
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > MAX_BODY_BYTES:
            return None
        chunks.append(chunk)
    return b"".join(chunks) if length else b""


def _http_datum(request: Request, params: Params, body: bytes) -> Datum:
    """Build the worker's request as Azure's host builds it (`ToRpcHttp` in azure-functions-host).

    Names of headers are lower-cased, repeated headers and query parameters joined by commas, empty query
    parameters left out. ASP.NET takes names of the query that differ in case alone for one, spelled as the first.
    """
    headers: dict[str, str] = {}
    for name, value in request.headers.items():
        headers[name.lower()] = f"{headers[name.lower()]},{value}" if name.lower() in headers else value
    repeated: dict[str, tuple[str, list[str]]] = {}
    for name, value in request.query_params.multi_items():
        repeated.setdefault(name.lower(), (name, []))[1].append(value)
    query = {name: ",".join(filter(None, values)) for name, values in repeated.values() if any(values)}
    return Datum(
        {
            "method": Datum(request.method, "string"),
            "url": Datum(_url(request), "string"),
            "headers": _strings(headers),
            "params": _strings(params),
            "query": _strings(query),
            "body": Datum(body, "bytes"),
        },
        "http",
    )


def _url(request: Request) -> str:
    host = request.headers.get("host", "localhost")
    query = request.scope["query_string"].decode("latin-1")
    return f"{request.scope['scheme']}://{host}{_raw_path(request)}{'?' * bool(query)}{query}"


def _raw_path(request: Request) -> str:
    """Return the path as it was sent: `scope["path"]` has lost the difference between `/` and `%2F`."""
    raw: bytes | None = request.scope.get("raw_path")
    return raw.decode("latin-1") if raw else quote(request.scope["path"])


def _strings(values: Mapping[str, str]) -> dict[str, Datum]:
    return {name: Datum(value, "string") for name, value in values.items()}


def _timer_datum(last: datetime | None, *, past_due: bool) -> Datum:
    status = {"Last": last.isoformat()} if last else {}
    return Datum(json.dumps({"IsPastDue": past_due, "ScheduleStatus": status, "Schedule": {}}), "json")


def _trace_parent(request: Request | None) -> str:
    """Continue the caller's trace, or begin one: https://www.w3.org/TR/trace-context/."""
    given = request.headers.get("traceparent") if request else None
    return given or f"00-{token_hex(16)}-{token_hex(8)}-01"


def _render(answer: Datum | None, front_end: str | None) -> Response:
    if answer is None or answer.type is None:
        return Response(status_code=204)
    if answer.type != "http":
        return Response(str(answer.value), media_type="text/plain")
    value = answer.value
    response = Response(value["body"].value, int(value["status_code"].value))
    for name, header in value["headers"].items():
        response.headers[name] = header.value
    for line in set_cookie_lines(value["cookies"] or (), front_end):
        response.headers.append("set-cookie", line)
    return response
