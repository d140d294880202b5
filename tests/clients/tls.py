"""https for the service on this machine, so that no library has to be told that it may go without.

Its certificate is of an authority that lives as long as this process. Behind the door that takes off the encryption,
the service gets plain HTTP, as behind Azure's front end.
"""

import asyncio
import contextlib
import ssl
from collections.abc import Iterator
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
def https(port: int, service_port: int) -> Iterator[Trust]:
    """Answer https at `port` for the service at `service_port`. The clients of this process trust it, too."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost", "127.0.0.1").configure_cert(context)
    authority.configure_trust(loopback.trusted())
    loop = asyncio.new_event_loop()
    thread = Thread(target=loop.run_forever, daemon=True)
    thread.start()
    server = asyncio.run_coroutine_threadsafe(_listen(port, service_port, context), loop).result()
    with TemporaryDirectory(prefix="trust-") as scratch:
        pem, java = Path(scratch) / "ca.pem", Path(scratch) / "ca.p12"
        pem.write_bytes(authority.cert_pem.bytes())
        certificate = PKCS12Certificate(x509.load_pem_x509_certificate(authority.cert_pem.bytes()), b"ca")
        java.write_bytes(serialize_java_truststore([certificate], NoEncryption()))
        try:
            yield Trust(pem, java)
        finally:
            loop.call_soon_threadsafe(server.close)
            loop.call_soon_threadsafe(loop.stop)
            thread.join()


async def _listen(port: int, service_port: int, context: ssl.SSLContext) -> asyncio.Server:
    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", service_port)
        await asyncio.gather(_pass_on(reader, inner_writer), _pass_on(inner_reader, writer))

    return await asyncio.start_server(connected, "localhost", port, ssl=context)


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    writer.close()
