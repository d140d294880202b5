"""Texts that only the holder of a secret can read (AES-GCM, NIST SP 800-38D)."""

import hashlib
import hmac
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from shared.kernel.encoding import base64url, from_base64url

_NONCE_BYTES = 12
"""NIST SP 800-38D, section 8.2.2: random ones, for secrets by which few texts are enciphered."""


def enciphered(secret: str, purpose: str, text: str) -> str:
    """The text, unreadable and unchangeable without the secret.

    Args:
        secret: at least 256 random bits, in ASCII.
        purpose: a secret enciphers for one purpose only.
        text: what it is about.
    """
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return base64url(nonce + AESGCM(_key(secret, purpose)).encrypt(nonce, text.encode(), None))


def deciphered(secret: str, purpose: str, text: str) -> str:
    """The text that was enciphered.

    Raises:
        ValueError: it was enciphered by another secret or for another purpose, or was changed since.
    """
    octets = from_base64url(text)
    try:
        return AESGCM(_key(secret, purpose)).decrypt(octets[:_NONCE_BYTES], octets[_NONCE_BYTES:], None).decode()
    except InvalidTag:
        raise ValueError("It cannot be deciphered.") from None


def _key(secret: str, purpose: str) -> bytes:
    return hmac.digest(secret.encode(), purpose.encode(), hashlib.sha256)
