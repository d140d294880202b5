"""`python -m tests.clients.returning`: people who come back to an application when its tokens have expired.

They sign in at Quarkus and at oauth2-proxy, wait for eleven minutes, while tokens last for ten, and open the
application again in the same browser. Nobody may be asked for anything then: the application sends them to the service
without a `login_hint`, and the browser remembers who they are; or it has a refresh token. No other run waits
for that.
"""

import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from local.cast.browser import Browser
from local.processes import free_port, listens, running, unwind_on_signals
from local.terminal import good, say
from tests.clients.groups import GROUPS, prepared
from tests.clients.provider import Provider, running_provider
from tests.clients.table import Client, clients
from tests.clients.walks import next_page, shows_alice

_SECONDS: Final = 660
_MOST_FORMS: Final = 10
_FORMS: Final = 2
"""Of the first sign-in: the address at the service, and the password at Microsoft."""
_SETTINGS: Final = {
    "quarkus": {},
    # Without a period for refreshing it does not look at its tokens again.
    "oauth2_proxy": {"OAUTH2_PROXY_COOKIE_REFRESH": "5m"},
}
_FOR_REFRESH_TOKENS: Final = {
    "quarkus": {
        "QUARKUS_OIDC_TOKEN_REFRESH_EXPIRED": "true",
        "QUARKUS_OIDC_AUTHENTICATION_SCOPES": "email,profile,offline_access",
    },
    "oauth2_proxy": {"OAUTH2_PROXY_SCOPE": "openid email profile offline_access"},
}


@dataclass(frozen=True)
class Returning:
    """A person at an application, in one browser."""

    title: str
    client: Client
    app: str
    browser: Browser

    def open(self) -> tuple[bool, int]:
        """Open the application; whether they are signed in at the end, and how many forms they had to fill in."""
        page, asked = self.browser.open(f"{self.app}{self.client.start}"), 0
        while asked < _MOST_FORMS and not shows_alice(page.url, page.html, self.app):
            following = next_page(self.browser, page)
            if following is None:
                break
            page, asked = following, asked + 1
        if self.client.then:
            page = self.browser.open(f"{self.app}{self.client.then}")
        return shows_alice(page.url, page.html, self.app), asked


def main() -> None:
    """Let them sign in, wait, and come back. The exit code is 1 if anybody was asked for anything."""
    unwind_on_signals()
    able, skipped = prepared([each for each in clients() if each.name in _SETTINGS])
    wrong = [f"{client.library}: {reason}" for client, reason in skipped]
    with ExitStack() as stack:
        provider = stack.enter_context(running_provider())
        people = [_person(stack, provider, each, refresh_tokens=some) for each in able for some in (False, True)]
        wrong += [f"{each.title}: they could not sign in" for each in people if each.open() != (True, _FORMS)]
        say(f"{len(people)} people have signed in, and come back after {_SECONDS} seconds.")
        time.sleep(_SECONDS)
        for each in people:
            signed_in, asked = each.open()
            say(f"  {each.title:<32} {good('signed in') if signed_in else 'not signed in'}, after {asked} forms")
            wrong += [] if (signed_in, asked) == (True, 0) else [f"{each.title}: asked {asked} times"]
    if wrong:
        sys.exit("\n".join(wrong))


def _person(stack: ExitStack, provider: Provider, client: Client, *, refresh_tokens: bool) -> Returning:
    """Register the application, with refresh tokens or as everybody is, and run it with its setting for PKCE."""
    port = free_port()
    app, client_id = f"http://localhost:{port}", f"{client.client_id}{'-refreshing' if refresh_tokens else ''}"
    secret = provider.register(
        client_id,
        redirectUris=[f"{app}{client.callback}"],
        tokenEndpointAuthMethod="client_secret_basic",
        refreshTokens=refresh_tokens,
    )
    scratch = stack.enter_context(TemporaryDirectory(prefix="client-"))
    known = {"ISSUER": provider.url, "CLIENT_ID": client_id, "CLIENT_SECRET": secret, "PORT": str(port)}
    settings = _SETTINGS[client.name] | (_FOR_REFRESH_TOKENS[client.name] if refresh_tokens else {})
    environment = known | settings | {"REDIRECT_URI": f"{app}{client.callback}", "WITH_SETTING": "true"}
    command = ["env", "-C", scratch, *GROUPS[client.group].command(client)]
    log = Path(scratch) / "log"
    program = stack.enter_context(running(client.library, command, log, environment | provider.trust.environment()))
    program.wait_until(lambda: listens(port), 90)
    browser = stack.enter_context(Browser(patience=30))
    return Returning(f"{client.library}{', refreshing' if refresh_tokens else ''}", client, app, browser)


if __name__ == "__main__":
    main()
