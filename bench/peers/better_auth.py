"""Better Auth with its SSO plugin: which provider an email address belongs to."""

import json
from collections.abc import Generator
from contextlib import contextmanager

from bench.load import request
from bench.peers.node import node_server
from bench.peers.peer import LookUp, Peer, Surroundings


@contextmanager
def better_auth(surroundings: Surroundings) -> Generator[Peer]:
    """Run it with one provider in its memory adapter. Its answer is the redirect to the provider, state included."""
    domain = surroundings.people[0].rpartition("@")[2]
    arguments = "better_auth.mjs", domain, surroundings.entra.http
    with node_server("@better-auth/sso", *arguments) as server:
        yield Peer(
            name="Better Auth",
            version=server.version,
            pids=[server.pid],
            note="in memory",
            look_up=LookUp(port=server.port, request=_look_up, domain=domain),
            started_in=server.started_in,
        )


def _look_up(email: str) -> str:
    headers = {"Content-Type": "application/json"}
    body = json.dumps({"email": email, "callbackURL": "/", "providerType": "oidc"})
    return request("POST", "/api/auth/sign-in/sso", headers, body)
