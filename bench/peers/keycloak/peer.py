"""Keycloak as a peer: beside a local Entra that knows its redirect URI, and warm before anything is measured."""

import re
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from bench.browsers import sign_ins
from bench.load import LoadError, Plan, fire, request
from bench.peers.keycloak.distribution import VERSION, KeycloakServer, install, keycloak_server
from bench.peers.keycloak.realm import APPLICATION, CALLBACK_PATH, LOOK_UP, LOOK_UP_SECRET, REALM, realm
from bench.peers.peer import LookUp, Peer, Provider, Surroundings
from bench.people import CONTOSO, DOMAIN, hire
from local import loopback
from local.cast.stack import Entra, local_entra
from local.entra.server import DIRECTORY_FILE
from local.processes import free_port
from local.terminal import faint, say

_SIGN_INS: Final = 1_600
_LOOK_UPS: Final = 8_000
"""So many until HotSpot has compiled what is hot: after twice as many, one costs the same within a tenth."""
_CALLERS: Final = 8
_PATIENCE: Final = 120


@contextmanager
def keycloak(surroundings: Surroundings) -> Generator[Peer]:
    """Run it and warm it up. Raises PeerMissingError where Java or Maven is missing, or it cannot be fetched."""
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
        _warm_up(port, provider, hire(entra, len(surroundings.people)), look_up)
        yield Peer(
            name="Keycloak",
            version=VERSION,
            note=f"H2, Java {java}",
            pids=[server.pid],
            entra_pids=[entra.child.process.pid],
            provider=provider,
            look_up=LookUp(port=port, request=look_up, domain=DOMAIN),
            started_in=server.started_in,
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


def _warm_up(port: int, provider: Provider, people: Sequence[str], look_up: Callable[[str], str]) -> None:
    """Let people sign in and look somebody up."""
    say(faint(f"  Keycloak is up; {_SIGN_INS} sign-ins and {_LOOK_UPS} look-ups until it is warm ..."))
    sign_ins(provider, people, _SIGN_INS // len(people))
    fire(Plan(port, [look_up(people[0])] * _LOOK_UPS, _CALLERS, _PATIENCE))
