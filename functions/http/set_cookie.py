"""Set-Cookie lines: what all of our cookies have in common, whatever they are for."""

from typing import Final

ATTRIBUTES: Final = "HttpOnly; Secure; SameSite=Lax"


def removal(name: str) -> str:
    """The Set-Cookie line that removes a cookie."""
    return f"{name}=; Path=/; Max-Age=0; {ATTRIBUTES}"
