"""The peers, in the order of the tables, and a `with` block in which those run that can run here."""

from collections.abc import Generator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Final

from bench.peers.better_auth import better_auth
from bench.peers.keycloak.peer import keycloak
from bench.peers.oidc_provider import oidc_provider
from bench.peers.peer import Peer, PeerMissingError, Run, Surroundings
from bench.people import hire
from local.cast.stack import local_entra
from local.terminal import faint, say

PEERS: Final[Mapping[str, Run]] = {
    "Keycloak": keycloak,
    "oidc-provider": oidc_provider,
    "Better Auth": better_auth,
}


@contextmanager
def running_peers(surroundings: Surroundings) -> Generator[list[Peer]]:
    """Start them all, and leave out, with a line on the terminal, those for which something is missing."""
    with ExitStack() as stack:
        peers: list[Peer] = []
        for name, run in PEERS.items():
            try:
                peers.append(stack.enter_context(run(surroundings)))
            except PeerMissingError as missing:
                say(faint(f"  without {name}: {missing}"))
        yield peers


@contextmanager
def peers_alone(*, wanted: bool) -> Generator[list[Peer]]:
    """The peers with a local Entra of their own, for comparisons without sign-ins; none unless they are wanted."""
    if not wanted:
        yield []
        return
    nowhere = "http://localhost:9"
    with local_entra(nowhere) as entra:
        surroundings = Surroundings(entra=entra, people=hire(entra, 1), redirect_uri=f"{nowhere}/callback")
        with running_peers(surroundings) as peers:
            yield peers
