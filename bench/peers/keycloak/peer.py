"""Keycloak as a peer: beside a local Entra that knows its redirect URI."""

import re
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from bench.load import LoadError, request
from bench.peers.keycloak.distribution import VERSION, KeycloakServer, install, keycloak_server
from bench.peers.keycloak.realm import APPLICATION, CALLBACK_PATH, LOOK_UP, LOOK_UP_SECRET, REALM, realm
from bench.peers.peer import LookUp, Peer, Provider, Surroundings
from bench.people import CONTOSO, DOMAIN, hire
from local import loopback
from local.cast.stack import Entra, local_entra
from local.entra.server import DIRECTORY_FILE
from local.processes import free_port

_SLOW_TO_WARM: Final = 7
"""HotSpot has compiled what is hot after some 1,600 sign-ins: after twice as many, each costs the same within 5 %."""


@contextmanager
def keycloak(surroundings: Surroundings) -> Generator[Peer]:
    """Run it with the same people. Raises PeerMissingError where Java or Maven is missing, or it cannot be fetched."""
    java = install()
    port = free_port()
    with (
        _entra_for(f"http://localhost:{port}") as entra,
        keycloak_server(port, realm(entra, surroundings), entra.ca) as server,
    ):
        endpoints = f"{server.url}/realms/{REALM}/protocol/openid-connect"
        provider = Provider(
            authorization_endpoint=f"{endpoints}/auth",
            token_endpoint=f"{endpoints}/token",
            client_id=APPLICATION,
            redirect_uri=surroundings.redirect_uri,
        )
        look_up = _look_up(server)
        hire(entra, len(surroundings.people))
        yield Peer(
            name="Keycloak",
            version=VERSION,
            note=f"H2, Java {java}",
            pids=[server.pid],
            entra_pids=[entra.child.process.pid],
            provider=provider,
            look_up=LookUp(port=port, request=look_up, domain=DOMAIN),
            started_in=server.started_in,
            slow_to_warm=_SLOW_TO_WARM,
        )


@contextmanager
def _entra_for(url: str) -> Generator[Entra]:
    """A local Entra whose app registration has Keycloak's redirect URI instead of ours, and Contoso's consent."""
    registered = f'redirect_paths = ["{CALLBACK_PATH}"]'
    directory = DIRECTORY_FILE.read_text(encoding="utf-8")
    moved, found = re.subn(r"^redirect_paths = .*$", registered, directory, flags=re.MULTILINE)
    if found != 1:
        raise LoadError(f"{DIRECTORY_FILE} should have one line of redirect_paths.")
    with TemporaryDirectory(prefix="keycloak-entra-") as scratch:
        file = Path(scratch) / "directory.toml"
        file.write_text(moved, encoding="utf-8")
        with local_entra(url, "--directory", str(file)) as entra:
            loopback.post(f"{entra.http}/_local/consents/{CONTOSO}/grant").raise_for_status()
            yield entra


def _look_up(server: KeycloakServer) -> Callable[[str], str]:
    """The organization of a domain, by the API for administrators. Its identity provider would be a second request."""
    form = {"grant_type": "client_credentials", "client_id": LOOK_UP, "client_secret": LOOK_UP_SECRET}
    answer = loopback.post(f"{server.url}/realms/{REALM}/protocol/openid-connect/token", data=form)
    headers = {"Authorization": f"Bearer {answer.raise_for_status().json()['access_token']}"}

    def ask(email: str) -> str:
        path = f"/admin/realms/{REALM}/organizations?search={email.rpartition('@')[2]}&exact=true"
        return request("GET", path, headers)

    return ask
