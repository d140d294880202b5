"""An Azurite that takes access tokens over https only, as Azure does when keys are switched off.

It checks issuer, audience and lifetime of a token (`--oauth basic`), but no signature.
"""

from collections.abc import Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import jwt
import trustme
from azure.core.credentials import AccessToken
from azure.data.tables import TableServiceClient

from local.entra.clock import utc_now
from local.processes import ROOT, Azurite, free_port, listens, running

TENANT = "5e110000-0000-4000-8000-000000000000"
STORAGE = "https://storage.azure.com"


@dataclass(frozen=True)
class TokenStore:
    """Where it is, and the authority to trust."""

    url: str
    ca: Path


@contextmanager
def token_store(folder: Path, tables: Iterable[str]) -> Generator[TokenStore]:
    """Run it with a certificate of its own and these tables."""
    authority = trustme.CA()
    ca, cert, key = folder / "ca.pem", folder / "cert.pem", folder / "key.pem"
    authority.cert_pem.write_to_path(str(ca))
    issued = authority.issue_cert("localhost", "127.0.0.1")
    issued.cert_chain_pems[0].write_to_path(str(cert))
    issued.private_key_pem.write_to_path(str(key))
    port = free_port()
    program = ROOT / "node_modules" / ".bin" / "azurite-table"
    options = ["--tablePort", str(port), "--inMemoryPersistence", "--skipApiVersionCheck", "--disableTelemetry"]
    tokens = ["--oauth", "basic", "--cert", cert, "--key", key]
    with running("Azurite", [program, *options, *tokens], folder / "azurite.log") as child:
        child.wait_until(lambda: listens(port), 30)
        by_key = Azurite(folder, port=port).connection_string.replace("http", "https")
        with TableServiceClient.from_connection_string(by_key, connection_verify=str(ca)) as service:
            for name in tables:
                service.create_table(name)
        yield TokenStore(f"https://127.0.0.1:{port}/devstoreaccount1", ca)


def storage_token(audience: str = STORAGE) -> tuple[str, int]:
    """A token of the app's identity for the store, and the second when it expires."""
    now = int(utc_now().timestamp())
    claims = {"iss": f"https://sts.windows.net/{TENANT}/", "aud": audience, "iat": now, "nbf": now, "exp": now + 3600}
    return jwt.encode(claims, "the platform's key, which nobody checks", algorithm="HS256"), now + 3600


class TokenCredential:
    """The app's identity. The scopes that it was asked for are kept."""

    def __init__(self, audience: str = STORAGE) -> None:
        self.scopes: list[str] = []
        self._audience = audience

    async def get_token(self, *scopes: str, **_: object) -> AccessToken:
        self.scopes += scopes
        return AccessToken(*storage_token(self._audience))

    async def close(self) -> None:
        """Nothing to close."""
