"""https for the service on this machine, so that no library has to be told that it may go without.

Its certificate is of an authority that lives as long as this process. Behind the door that takes off the encryption,
the service gets plain HTTP, as behind Azure's front end.
"""

import asyncio
import contextlib
import ssl
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread

import trustme
from cryptography import x509
from cryptography.hazmat.primitives.serialization import NoEncryption
from cryptography.hazmat.primitives.serialization.pkcs12 import PKCS12Certificate, serialize_java_truststore

from local import loopback


@dataclass(frozen=True)
class Trust:
    """The authority's certificate: as PEM, and as the trust store that Java reads."""

    pem: Path
    java: Path

    def environment(self) -> dict[str, str]:
        """What makes a program trust it: the variables of OpenSSL (Python, Go, Ruby, Rust), requests, Node and Java."""
        pem = str(self.pem)
        java = f"-Djavax.net.ssl.trustStore={self.java} -Djavax.net.ssl.trustStorePassword= "
        return {
            "SSL_CERT_FILE": pem,
            "REQUESTS_CA_BUNDLE": pem,
            "NODE_EXTRA_CA_CERTS": pem,
            "JAVA_TOOL_OPTIONS": f"{java}-Djavax.net.ssl.trustStoreType=PKCS12",
        }


@contextmanager
def https(port: int, inner: int) -> Iterator[Trust]:
    """Answer https at `port` for what answers http at `inner`. The clients of this process trust it, too."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost", "127.0.0.1").configure_cert(context)
    authority.configure_trust(loopback.trusted())
    with TemporaryDirectory(prefix="trust-") as scratch, _Door(port, inner, context):
        pem, java = Path(scratch) / "ca.pem", Path(scratch) / "ca.p12"
        pem.write_bytes(authority.cert_pem.bytes())
        certificate = PKCS12Certificate(x509.load_pem_x509_certificate(authority.cert_pem.bytes()), b"ca")
        java.write_bytes(serialize_java_truststore([certificate], NoEncryption()))
        yield Trust(pem, java)


class _Door:
    """Passes bytes on in a thread of its own, inside a `with` block."""

    def __init__(self, port: int, inner: int, context: ssl.SSLContext) -> None:
        self._port, self._inner, self._context = port, inner, context
        self._listening: Future[Callable[[], object]] = Future()
        self._thread = Thread(target=lambda: asyncio.run(self._serve()))

    def __enter__(self) -> None:
        self._thread.start()
        self._close = self._listening.result()

    def __exit__(self, *_: object) -> None:
        self._close()
        self._thread.join()

    async def _serve(self) -> None:
        over, loop = asyncio.Event(), asyncio.get_running_loop()
        async with await asyncio.start_server(self._connected, "localhost", self._port, ssl=self._context):
            self._listening.set_result(lambda: loop.call_soon_threadsafe(over.set))
            await over.wait()
            for task in asyncio.all_tasks() - {asyncio.current_task()}:
                task.cancel()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.CancelledError):
            inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", self._inner)
            with contextlib.closing(inner_writer), contextlib.closing(writer):
                await asyncio.gather(_pass_on(reader, inner_writer), _pass_on(inner_reader, writer))


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    writer.close()
