"""The peers, in the order of the tables, and a `with` block in which those run that can run here."""

from collections.abc import Generator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Final

from bench.peers.better_auth import better_auth
from bench.peers.keycloak.peer import keycloak
from bench.peers.oidc_provider import oidc_provider
from bench.peers.peer import Peer, PeerMissingError, Run, Surroundings
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
