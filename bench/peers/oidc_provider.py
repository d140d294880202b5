"""panva's oidc-provider: the authorization code flow from a memory adapter, with a login of its own and no upstream."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

from bench.peers.node import node_server
from bench.peers.peer import Peer, Provider, Surroundings

_CLIENT: Final = "unite"


@contextmanager
def oidc_provider(surroundings: Surroundings) -> Generator[Peer]:
    """Run it for the application of the bench. What it leaves out: an upstream, and a store that outlives it."""
    arguments = "oidc_provider.mjs", _CLIENT, surroundings.redirect_uri
    with node_server("oidc-provider", *arguments) as server:
        issuer = f"http://localhost:{server.port}"
        provider = Provider(
            authorization_endpoint=f"{issuer}/auth",
            token_endpoint=f"{issuer}/token",
            client_id=_CLIENT,
            redirect_uri=surroundings.redirect_uri,
        )
        yield Peer(
            name="oidc-provider",
            version=server.version,
            pids=[server.pid],
            note="in memory, no upstream",
            provider=provider,
            started_in=server.started_in,
        )
