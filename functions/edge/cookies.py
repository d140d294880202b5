"""The cookies that bind a browser to its flows.

`__Host-` makes browsers insist on Secure, on path / and on no other host (RFC 6265bis, section 4.1.3.2). SameSite=Lax
lets them come along when Microsoft sends the browser back with a GET, and with nothing else from elsewhere.
"""

import re

from azure.functions import HttpRequest

CONNECT = "__Host-azure-sso-connect"
SIGN_IN = "__Host-azure-sso-sign-in"

_SECONDS = 2_400
_SECRET = re.compile(r"[A-Za-z0-9_-]{43}")


def bind(name: str, secret: str) -> str:
    """The Set-Cookie line that gives a browser its secret, for longer than any flow lasts."""
    return f"{name}={secret}; Path=/; Max-Age={_SECONDS}; HttpOnly; Secure; SameSite=Lax"


def browser_of(req: HttpRequest, name: str) -> str | None:
    """The secret that the browser brings, if it brings one that can be ours."""
    pairs = (part.strip().partition("=") for part in req.headers.get("cookie", "").split(";"))
    return next((value for key, _, value in pairs if key == name and _SECRET.fullmatch(value)), None)
