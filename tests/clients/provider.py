"""The service that the clients sign in at: Azurite, local Entra and the app, with SSO on for the customer Contoso."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from local.cast.stack import HOST, azurite, functions_host, local_entra, settings
from local.cast.story import Story
from local.processes import free_port
from shared.wiring import TABLE_NAMES
from tests.clients.tls import Trust, https


@dataclass(frozen=True)
class Provider:
    """It runs at the issuer `url`; a program that shall reach it needs `trust`.

    Scripts of pages at `browser_port` of this machine may call it, as the deployment's `allowedOrigins` permits it.
    """

    url: str
    trust: Trust
    browser_port: int
    story: Story

    def register(self, client_id: str, **profile: Any) -> str | None:
        """Register an application, or change it; the client secret, if it has one."""
        path = f"/v1/applications/{client_id}"
        known = self.story.call("operator", "GET", path).is_success
        document = {"name": client_id, "ssoSupported": True, **profile}
        self.story.must("operator", "PUT", path, json=document, etag="*" if known else None)
        if profile["tokenEndpointAuthMethod"] == "none":
            return None
        return str(self.story.must("operator", "POST", f"{path}/secret", etag="*")["clientSecret"])


@contextmanager
def running_provider() -> Iterator[Provider]:
    """Run it."""
    port, service_port, browser_port = free_port(), free_port(), free_port()
    url = f"https://localhost:{port}"
    with azurite() as store, local_entra(url) as entra:
        store.create_tables(TABLE_NAMES)
        host = {**HOST, "CORS": f"http://localhost:{browser_port}"}
        with (
            https(port, service_port) as trust,
            functions_host(settings(url, entra, store.connection_string), port=service_port, settings=host),
            Story.at(url, entra) as story,
        ):
            story.begin()
            yield Provider(url, trust, browser_port, story)
