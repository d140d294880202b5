"""RSA key pairs in memory, by `cryptography`: made, written, read, and used for RS256 (RFC 7518, section 3.3)."""

from typing import TYPE_CHECKING

from shared.kernel.encoding import from_base64url
from shared.ports.signing_keys import MINIMUM_BITS, Jwk

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey


def generate() -> "RSAPrivateKey":
    """A new key pair of the minimum size. It takes tens of milliseconds of CPU."""
    from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key

    return generate_private_key(public_exponent=65537, key_size=MINIMUM_BITS)


def jwk_of(private: "RSAPrivateKey") -> Jwk:
    """The public half."""
    public = private.public_key().public_numbers()
    return Jwk.of(public.n, public.e)


def pkcs8(private: "RSAPrivateKey") -> bytes:
    """The private half as PKCS #8 in DER, not encrypted."""
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    return private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def from_pkcs8(der: bytes) -> "RSAPrivateKey":
    """The key pair of `pkcs8`.

    Raises:
        ValueError: it is something else.
    """
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.serialization import load_der_private_key

    private = load_der_private_key(der, password=None)
    if not isinstance(private, RSAPrivateKey):
        raise ValueError("It is not an RSA key.")  # noqa: TRY004 - what was read is wrong, not what was called
    return private


async def sign(private: "RSAPrivateKey", signed: bytes) -> bytes:
    """The RS256 signature."""
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.hashes import SHA256

    return private.sign(signed, PKCS1v15(), SHA256())


def verifies(public: Jwk, signature: bytes, signed: bytes) -> bool:
    """Whether it is the RS256 signature of `signed` by this key."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers
    from cryptography.hazmat.primitives.hashes import SHA256

    numbers = RSAPublicNumbers(*(int.from_bytes(from_base64url(each)) for each in (public.e, public.n)))
    try:
        numbers.public_key().verify(signature, signed, PKCS1v15(), SHA256())
    except InvalidSignature:
        return False
    return True
