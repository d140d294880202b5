"""The cookie that binds a browser to its flow.

`__Host-` makes browsers insist on Secure, on path / and on no other host (RFC 6265bis, section 4.1.3.2). SameSite=Lax
lets it come along when Microsoft sends the browser back with a GET, and with nothing else from elsewhere.
"""

import re

from azure.functions import HttpRequest

_NAME = "__Host-azure-sso"
_SECONDS = 2_400
_SECRET = re.compile(r"[A-Za-z0-9_-]{43}")


def bind(secret: str) -> str:
    """The Set-Cookie line that gives a browser its secret, for longer than any integration lasts."""
    return f"{_NAME}={secret}; Path=/; Max-Age={_SECONDS}; HttpOnly; Secure; SameSite=Lax"


def browser_of(req: HttpRequest) -> str | None:
    """The secret that the browser brings, if it brings one that can be ours."""
    pairs = (part.strip().partition("=") for part in req.headers.get("cookie", "").split(";"))
    return next((value for name, _, value in pairs if name == _NAME and _SECRET.fullmatch(value)), None)
