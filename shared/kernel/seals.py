"""Sealed texts: what somebody else keeps for us, and can read, but neither make nor change (RFC 2104)."""

import hashlib
import hmac
from dataclasses import dataclass, field

from shared.kernel.encoding import base64url


@dataclass(frozen=True, slots=True)
class Seal:
    """Seals texts of one purpose, so that one kind cannot pass for another.

    Args:
        keys: secret octets of the deployment. The first one seals; the others, before it, still open.
    """

    keys: tuple[bytes, ...] = field(repr=False)

    def closed(self, purpose: str, text: str) -> str | None:
        """The text, sealed; None without a key."""
        return f"{text}.{_tag(self.keys[0], purpose, text)}" if self.keys else None

    def opened(self, purpose: str, unverified_text: str) -> str | None:
        """The text that was sealed for this purpose with one of the keys; None if this is anything else."""
        text, _, tag = unverified_text.rpartition(".")
        sent = tag.encode(errors="surrogatepass")
        genuine = [hmac.compare_digest(_tag(key, purpose, text).encode(), sent) for key in self.keys]
        return text if any(genuine) else None


def _tag(key: bytes, purpose: str, text: str) -> str:
    """The purpose has no zero octet, so that no two pairs of purpose and text are the same message."""
    return base64url(hmac.digest(key, f"{purpose}\0{text}".encode(errors="surrogatepass"), hashlib.sha256))
