"""Client secrets: made here, shown once, and kept as a salted slow hash."""

import asyncio
import hashlib
import hmac
import secrets


def new_secret() -> str:
    """A client secret: 32 random bytes in base64url."""
    return secrets.token_urlsafe(32)


async def hash_secret(secret: str) -> str:
    """What is kept of a secret: salt and scrypt hash, in hexadecimal."""
    salt = secrets.token_bytes(16)
    return f"{salt.hex()}:{(await _scrypt(secret, salt)).hex()}"


async def verify_secret(secret: str, kept: str) -> bool:
    """Whether this is the secret of which `kept` was kept."""
    salt, _, hashed = kept.partition(":")
    return hmac.compare_digest(await _scrypt(secret, bytes.fromhex(salt)), bytes.fromhex(hashed))


async def _scrypt(secret: str, salt: bytes) -> bytes:
    """Slow on purpose (RFC 7914), so in a thread."""
    return await asyncio.to_thread(hashlib.scrypt, secret.encode(), salt=salt, n=2**14, r=8, p=1)
