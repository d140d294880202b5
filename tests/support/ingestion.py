"""A stand-in for Azure Monitor: it accepts telemetry, records each item, and serves no live metrics."""

import gzip
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

INSTRUMENTATION_KEY = "15500000-0000-4000-8000-0000000000a1"


@dataclass
class Ingestion:
    """Items are Application Insights' envelopes, as the exporter sends them; `asked` are the paths of its requests."""

    url: str = ""
    items: list[dict[str, Any]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    @property
    def connection_string(self) -> str:
        """The connection string, as an operator copies it from the portal."""
        key = f"InstrumentationKey={INSTRUMENTATION_KEY}"
        return f"{key};IngestionEndpoint={self.url}/;LiveEndpoint={self.url}/live/"

    def of_type(self, base_type: str) -> list[dict[str, Any]]:
        """The data of the items of one type: `MessageData`, `MetricData`, `RemoteDependencyData`."""
        return [item["data"]["baseData"] for item in tuple(self.items) if item["data"]["baseType"] == base_type]

    def take(self, path: str, body: bytes) -> dict[str, Any]:
        """Answer one request."""
        self.asked.append(path)
        if not path.endswith("/track"):
            return {}
        items = json.loads(body)
        self.items.extend(items)
        return {"itemsReceived": len(items), "itemsAccepted": len(items), "errors": []}


@contextmanager
def ingestion() -> Iterator[Ingestion]:
    """Listen on a free port of this machine."""
    taken = Ingestion()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            packed = self.headers.get("content-encoding") == "gzip"
            answer = json.dumps(taken.take(self.path, gzip.decompress(body) if packed else body)).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.send_header("x-ms-qps-subscribed", "false")
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    taken.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield taken
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
