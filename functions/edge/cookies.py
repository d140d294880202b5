"""The cookie that binds a browser to its flow.

`__Host-` makes browsers insist on Secure, on path / and on no other host (RFC 6265bis, section 4.1.3.2). SameSite=Lax
lets it come along when Microsoft sends the browser back with a GET, and with nothing else from elsewhere.
"""

from azure.functions import HttpRequest

_NAME = "__Host-azure-sso"
_SECONDS = 1_200


def bind(secret: str) -> str:
    """The Set-Cookie line that gives a browser its secret, for twice as long as one flow lasts."""
    return f"{_NAME}={secret}; Path=/; Max-Age={_SECONDS}; HttpOnly; Secure; SameSite=Lax"


def browser_of(req: HttpRequest) -> str | None:
    """The secret that the browser brings, if it brings one."""
    pairs = (part.strip().partition("=") for part in req.headers.get("cookie", "").split(";"))
    return next((value for name, _, value in pairs if name == _NAME), None)
