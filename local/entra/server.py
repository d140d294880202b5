"""Local Entra as a running server: one app on two sockets.

http for browsers, and https with a throw-away CA for the back channel; the loopback only. `LocalEntra` is a context
manager around both, on a thread and event loop of its own; `__main__` is its command line.
"""

import asyncio
import socket
import ssl
import threading
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

import trustme
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from local.entra import (
    authorize,
    consent,
    control,
    control_panel,
    directory,
    discovery,
    graph,
    logout,
    managed_identity,
    pages,
    token_endpoint,
)
from local.entra.cloud import Addresses, Cloud

LOOPBACK = "127.0.0.1"
DIRECTORY_FILE = Path(__file__).with_name("directory.toml")
START_TIMEOUT = 30.0
"""Seconds."""


def create_app(cloud: Cloud, *, with_control: bool) -> Starlette:
    """All endpoints over one state."""
    # The fixed paths come first: `/{tenant}/…` would match some of them too.
    areas = [control_panel, managed_identity, graph, discovery, consent, authorize, token_endpoint, logout]
    routes = [Route("/", partial(_front_page, cloud))]
    routes += control.routes(cloud) if with_control else []
    routes += [route for area in areas for route in area.routes(cloud)]
    return Starlette(routes=routes)


class LocalEntra:
    """A server that runs inside a `with` block.

    Port 0 is any free port. `service_url` is the public URL of the service, under which redirect URIs are registered.
    The CA certificate is written to `state_dir/ca.pem`, anew at each start.
    """

    def __init__(
        self,
        *,
        state_dir: Path,
        service_url: str = "http://localhost:7071",
        http_port: int = 0,
        https_port: int = 0,
        with_control: bool = True,
        directory_file: Path = DIRECTORY_FILE,
    ) -> None:
        """Bind both sockets and read the directory; nothing is served yet.

        Raises:
            OSError: a port is taken.
            ValueError: the directory file breaks a rule, or an http service URL is not on localhost.

        """
        if not service_url.startswith(("https://", "http://localhost:", "http://localhost/")):
            message = f"{service_url}: a redirect URI must begin with https, or http for localhost"
            raise ValueError(message)
        known = directory.load(directory_file)
        self._http_socket = _bound(http_port)
        try:
            self._https_socket = _bound(https_port)
        except OSError:
            self._http_socket.close()
            raise
        self.http = f"http://localhost:{self._http_socket.getsockname()[1]}"
        self.https = f"https://localhost:{self._https_socket.getsockname()[1]}"
        self.ca_file = state_dir / "ca.pem"
        self.cloud = Cloud(known, Addresses(self.http, self.https, service_url.rstrip("/")))
        app = create_app(self.cloud, with_control=with_control)
        tls = _tls_context(self.ca_file)
        closing = self.cloud.closing
        self._servers = [_Server(app, closing, self._http_socket), _Server(app, closing, self._https_socket, tls)]
        self._thread = threading.Thread(target=self._run, name="local-entra", daemon=True)

    def __enter__(self) -> Self:
        """Serve."""
        self._thread.start()
        for server in self._servers:
            if not server.ready.wait(START_TIMEOUT):
                message = "local Entra did not start"
                raise RuntimeError(message)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop, and give both ports back."""
        for server in self._servers:
            server.should_exit = True
        self._thread.join()
        self._http_socket.close()
        self._https_socket.close()

    def _run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        async with asyncio.TaskGroup() as group:
            for server in self._servers:
                group.create_task(server.serve([server.socket]))


class _Server(uvicorn.Server):
    """A uvicorn server that says when it is ready."""

    def __init__(
        self, app: Starlette, closing: asyncio.Event, bound: socket.socket, tls: ssl.SSLContext | None = None
    ) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                access_log=False,
                lifespan="off",
                log_config=None,
                log_level="warning",
                proxy_headers=False,
                server_header=False,
                ssl_context_factory=None if tls is None else lambda _config, _default: tls,
                timeout_graceful_shutdown=1,
                ws="none",
            ),
        )
        self.socket = bound
        self._closing = closing
        self.ready = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._closing.set()
        # A client that keeps a TLS connection in its pool never answers close_notify, so nobody waits for it.
        for listening in self.servers:
            listening.abort_clients()
        await super().shutdown(sockets)


def _bound(port: int) -> socket.socket:
    """A listening socket. asyncio sends small packets at once only where the protocol is named."""
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((LOOPBACK, port))
        bound.listen()
    except OSError:
        bound.close()
        raise
    return bound


def _tls_context(ca_file: Path) -> ssl.SSLContext:
    authority = trustme.CA(organization_name="Local Entra")
    ca_file.parent.mkdir(parents=True, exist_ok=True)
    authority.cert_pem.write_to_path(str(ca_file))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost", LOOPBACK).configure_cert(context)
    return context


async def _front_page(cloud: Cloud, _: Request) -> Response:
    return pages.who_is_who(cloud.directory)
