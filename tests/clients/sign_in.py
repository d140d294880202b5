"""One sign-in by one client: its program runs as an application, and a person walks through it with a browser.

They are signed in when a page of the application shows their address.
"""

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

from local.processes import StackError, free_port, listens, running
from tests.clients.groups import GROUPS
from tests.clients.provider import Provider
from tests.clients.table import Client
from tests.clients.walks import walk_in_browser, walk_in_chromium

type Binding = Literal["default", "none"]


@dataclass(frozen=True)
class Ended:
    """How a sign-in ended, and what there was to see if the person is not signed in."""

    signed_in: bool
    seen: str = ""


def sign_in(client: Client, provider: Provider, binding: Binding, *, with_setting: bool = False) -> Ended:
    """Register the client with its redirect URI alone, or with `codeBinding` "none" on top, and let Alice sign in."""
    port = provider.browser_port if client.public else free_port()
    app = f"http://localhost:{port}"
    with TemporaryDirectory(prefix="client-") as scratch:
        registered = _registered(client, provider, binding, f"{app}{client.callback}")
        setting = {"WITH_SETTING": "true"} if with_setting else {}
        environment = registered | setting | {"PORT": str(port), "SCRATCH": scratch} | provider.trust.environment()
        log, command = Path(scratch) / "log", ["env", "-C", scratch, *GROUPS[client.group].command(client)]
        with running(client.library, command, log, environment) as program:
            try:
                program.wait_until(lambda: listens(port), 90)
            except StackError as fault:
                return Ended(signed_in=False, seen=str(fault))
            walk = walk_in_chromium if client.public else walk_in_browser
            page = walk(f"{app}{client.start}", app, client.then)
            if page.shows_alice:
                return Ended(signed_in=True)
            return Ended(signed_in=False, seen=f"{page.url}\n{page.html[:2000]}\n{program.last_words()}")


def _registered(client: Client, provider: Provider, binding: Binding, redirect_uri: str) -> dict[str, str]:
    """What the application's developers get, as the environment of its program."""
    client_id = f"{client.client_id}-{binding}"
    method = "none" if client.public else "client_secret_basic"
    profile: dict[str, Any] = {"redirectUris": [redirect_uri], "tokenEndpointAuthMethod": method}
    profile |= {"refreshTokens": True} if client.refresh_tokens else {}
    secret = provider.register(client_id, **profile, **({"codeBinding": "none"} if binding == "none" else {}))
    known = {"ISSUER": provider.url, "CLIENT_ID": client_id, "REDIRECT_URI": redirect_uri}
    return known | ({} if secret is None else {"CLIENT_SECRET": secret})
