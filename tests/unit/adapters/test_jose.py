"""Tokens that are not ours, or not what they seem: each forgery has a name, and none passes."""

import base64
import json
from collections.abc import Mapping
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given
from hypothesis import strategies as st

from shared.adapters.jose import Jose
from shared.kernel.names import ClientId
from shared.kernel.refusals import NotAuthenticated
from tests.support.fakes import FixedClock
from tests.support.signing_keys import InMemorySigningKeys

ISSUER, UNITE = "https://sso.example", ClientId("unite")
CLOCK = FixedClock()
NOW = int(CLOCK.now().timestamp())
KEYS = InMemorySigningKeys(CLOCK)
JOSE = Jose(keys=KEYS, issuer=ISSUER, clock=CLOCK)
STRANGER = rsa.generate_private_key(public_exponent=65537, key_size=2048)
CLIENT_RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
CLIENT_EC = ec.generate_private_key(ec.SECP256R1())

CLAIMS: dict[str, Any] = {"iss": ISSUER, "aud": "unite", "sub": "subject", "iat": NOW, "exp": NOW + 600}
ASSERTED: dict[str, Any] = {"iss": UNITE, "sub": UNITE, "aud": ISSUER, "exp": NOW + 60, "jti": "once"}


def base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def jwk(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, kid: str | None, **members: str) -> dict[str, Any]:
    kind = jwt.algorithms.RSAAlgorithm if isinstance(key, rsa.RSAPrivateKey) else jwt.algorithms.ECAlgorithm
    named = {} if kid is None else {"kid": kid}
    return {**json.loads(kind.to_jwk(key.public_key())), **named, **members}


def joined(header: Mapping[str, Any], claims: Mapping[str, Any], signature: str = "c2lnbmF0dXJl") -> str:
    return f"{base64url(json.dumps(header).encode())}.{base64url(json.dumps(claims).encode())}.{signature}"


# -- our own tokens ---------------------------------------------------------------------------------------------------


async def kid() -> str:
    return (await KEYS.signer()).kid


async def signed(**changes: Any) -> str:
    """One of ours; None leaves a claim out."""
    return await JOSE.sign("JWT", {name: value for name, value in (CLAIMS | changes).items() if value is not None})


async def with_another_payload() -> str:
    header, _, signature = (await signed()).split(".")
    return f"{header}.{base64url(json.dumps(CLAIMS | {'sub': 'mallory'}).encode())}.{signature}"


async def with_another_header() -> str:
    _, payload, signature = (await signed()).split(".")
    header = {"alg": "RS256", "kid": await kid(), "typ": "at+jwt"}
    return f"{base64url(json.dumps(header).encode())}.{payload}.{signature}"


async def with_another_algorithm() -> str:
    return joined({"alg": "PS256", "kid": await kid(), "typ": "JWT"}, CLAIMS)


async def signed_by_a_stranger_in_our_name() -> str:
    return jwt.encode(CLAIMS, STRANGER, "RS256", {"kid": await kid()})


async def signed_by_a_stranger() -> str:
    return jwt.encode(CLAIMS, STRANGER, "RS256", {"kid": "strangers"})


async def signed_with_our_public_key_as_a_secret() -> str:
    secret = (await KEYS.published())[0].n
    return jwt.encode(CLAIMS, secret, "HS256", {"kid": await kid()})


async def not_signed() -> str:
    return joined({"alg": "none", "kid": await kid(), "typ": "JWT"}, CLAIMS, "")


async def that_brings_its_own_key() -> str:
    headers = {"kid": await kid(), "jwk": jwk(STRANGER, None), "jku": "https://evil.example/jwks"}
    return jwt.encode(CLAIMS, STRANGER, "RS256", headers)


async def without_a_key() -> str:
    return jwt.encode(CLAIMS, STRANGER, "RS256")


async def nested_deep() -> str:
    return f"{base64url(b'[' * 9_000)}.e30.e30"


async def too_long() -> str:
    return await signed(padding="x" * 16_000)


FORGERIES = [
    with_another_payload,
    with_another_header,
    with_another_algorithm,
    signed_by_a_stranger_in_our_name,
    signed_by_a_stranger,
    signed_with_our_public_key_as_a_secret,
    not_signed,
    that_brings_its_own_key,
    without_a_key,
    nested_deep,
    too_long,
]


@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")
@pytest.mark.parametrize("forgery", FORGERIES)
@pytest.mark.parametrize("typ", ["JWT", "at+jwt"])
async def test_a_forged_token_is_none_of_ours(forgery: Any, typ: str) -> None:
    forged = await forgery()
    for audience in ("unite", None):
        with pytest.raises(NotAuthenticated):
            await JOSE.verify(forged, typ, audience, expired=True)


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://evil.example"},
        {"iss": ISSUER + "/"},
        {"iss": None},
        {"aud": "other"},
        {"aud": ["unite", "other"]},
        {"aud": None},
        {"sub": None},
        {"sub": 7},
        {"exp": None},
        {"exp": "soon"},
        {"exp": NOW - 30},
        {"iat": None},
        {"iat": NOW + 31},
        {"nbf": NOW + 31},
    ],
)
async def test_a_token_of_which_one_claim_is_wrong_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(NotAuthenticated):
        await JOSE.verify(await signed(**changes), "JWT", "unite")


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
async def test_a_time_that_is_no_number_is_no_time(number: str) -> None:
    """Signed by ourselves, so that nothing else is wrong with it."""
    signer = await KEYS.signer()
    claims = json.dumps(CLAIMS).replace(str(NOW + 600), number)
    header = json.dumps({"alg": "RS256", "kid": signer.kid, "typ": "JWT"})
    signing_input = f"{base64url(header.encode())}.{base64url(claims.encode())}"
    token = f"{signing_input}.{base64url(await signer.sign(signing_input.encode()))}"
    with pytest.raises(NotAuthenticated):
        await JOSE.verify(token, "JWT", "unite")


@pytest.mark.parametrize("changes", [{"exp": NOW - 29}, {"iat": NOW + 30}, {"nbf": NOW + 30}])
async def test_clocks_may_differ_by_half_a_minute(changes: dict[str, Any]) -> None:
    assert (await JOSE.verify(await signed(**changes), "JWT", "unite")).sub == "subject"


@given(
    text=st.text(max_size=40)
    | st.lists(st.binary(max_size=20), min_size=3, max_size=3).map(lambda parts: ".".join(map(base64url, parts)))
)
async def test_no_text_is_a_token(text: str) -> None:
    with pytest.raises(NotAuthenticated):
        await JOSE.verify(text, "JWT", None, expired=True)
    with pytest.raises(NotAuthenticated):
        await JOSE.verify_assertion(text, UNITE, json.dumps({"keys": [jwk(CLIENT_RSA, "1")]}), (ISSUER,))


# -- assertions of clients --------------------------------------------------------------------------------------------


def assertion(algorithm: str = "RS256", key: Any = CLIENT_RSA, header: Any = None, **changes: Any) -> str:
    claims = {name: value for name, value in (ASSERTED | changes).items() if value is not None}
    return jwt.encode(claims, key, algorithm, {"kid": "1"} if header is None else header)


async def verified(text: str, *keys: dict[str, Any], audiences: tuple[str, ...] = (ISSUER,)) -> str:
    registered = keys or (jwk(CLIENT_EC, "0"), jwk(CLIENT_RSA, "1"))
    return (await JOSE.verify_assertion(text, UNITE, json.dumps({"keys": registered}), audiences)).jti


async def refused(text: str, *keys: dict[str, Any], audiences: tuple[str, ...] = (ISSUER,)) -> None:
    with pytest.raises(NotAuthenticated):
        await verified(text, *keys, audiences=audiences)


@pytest.mark.parametrize(
    ("algorithm", "private", "registered"),
    [
        ("RS256", CLIENT_RSA, jwk(CLIENT_RSA, "1")),
        ("RS256", CLIENT_RSA, jwk(CLIENT_RSA, "1", alg="RS256", use="sig")),
        ("PS256", CLIENT_RSA, jwk(CLIENT_RSA, "1")),
        ("PS256", CLIENT_RSA, jwk(CLIENT_RSA, "1", alg="PS256")),
        ("ES256", CLIENT_EC, jwk(CLIENT_EC, "1")),
        ("ES256", CLIENT_EC, jwk(CLIENT_EC, "1", alg="ES256")),
    ],
)
async def test_an_assertion_may_be_signed_by_each_algorithm_that_discovery_names(
    algorithm: str, private: Any, registered: dict[str, Any]
) -> None:
    assert await verified(assertion(algorithm, private), registered) == "once"


@pytest.mark.parametrize(
    ("algorithm", "private", "registered"),
    [
        ("RS256", CLIENT_RSA, jwk(CLIENT_RSA, "1", alg="PS256")),
        ("PS256", CLIENT_RSA, jwk(CLIENT_RSA, "1", alg="RS256")),
        ("RS512", CLIENT_RSA, jwk(CLIENT_RSA, "1")),
        ("RS512", CLIENT_RSA, jwk(CLIENT_RSA, "1", alg="RS512")),
        ("ES256", CLIENT_EC, jwk(CLIENT_RSA, "1")),
        ("RS256", CLIENT_RSA, jwk(CLIENT_EC, "1")),
        ("RS256", STRANGER, jwk(CLIENT_RSA, "1")),
        ("RS256", CLIENT_RSA, jwk(CLIENT_RSA, "2")),
        ("RS256", CLIENT_RSA, jwk(CLIENT_RSA, None)),
        ("RS256", CLIENT_RSA, {"kid": "1"}),
        ("RS256", CLIENT_RSA, {"kid": "1", "kty": "RSA", "n": "AQAB", "e": "AQAB"}),
    ],
)
async def test_an_assertion_by_another_key_or_algorithm_proves_nothing(
    algorithm: str, private: Any, registered: dict[str, Any]
) -> None:
    await refused(assertion(algorithm, private), registered)


@pytest.mark.parametrize("alg", ["none", None, "", "HS256", ["RS256"], {}, 1])
async def test_an_algorithm_that_is_none_of_ours_proves_nothing(alg: object) -> None:
    await refused(joined({"alg": alg, "kid": "1"}, ASSERTED))


@pytest.mark.parametrize("kid", [["1"], {}, 1, ""])
async def test_a_key_that_is_named_strangely_is_not_found(kid: object) -> None:
    await refused(joined({"alg": "RS256", "kid": kid}, ASSERTED))


async def test_one_key_needs_no_name() -> None:
    assert await verified(assertion(header={}), jwk(CLIENT_RSA, None)) == "once"


async def test_a_client_without_keys_proves_nothing() -> None:
    with pytest.raises(NotAuthenticated):
        await JOSE.verify_assertion(assertion(), UNITE, '{"keys": []}', (ISSUER,))


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "other"},
        {"iss": None},
        {"sub": "other"},
        {"sub": None},
        {"aud": "https://elsewhere.example"},
        {"aud": None},
        {"aud": []},
        {"jti": None},
        {"exp": None},
        {"exp": NOW - 30},
        {"exp": NOW + 3_631},
        {"nbf": NOW + 31},
        {"iat": NOW + 31},
    ],
)
async def test_an_assertion_of_which_one_claim_is_wrong_proves_nothing(changes: dict[str, Any]) -> None:
    await refused(assertion(**changes))


@pytest.mark.parametrize("changes", [{"exp": NOW - 29}, {"exp": NOW + 3_630}, {"exp": NOW + 60.5}])
async def test_an_assertion_within_its_limits_holds(changes: dict[str, Any]) -> None:
    assert await verified(assertion(**changes)) == "once"


async def test_an_assertion_names_one_of_several_audiences_or_one_alone() -> None:
    among_others = assertion(aud=["https://a.example", ISSUER])
    assert await verified(among_others, audiences=(ISSUER, f"{ISSUER}/oauth2/token")) == "once"
    await refused(among_others)
    await refused(assertion(aud=[ISSUER]))


async def test_with_no_audience_to_ask_for_nothing_holds() -> None:
    await refused(assertion(), audiences=())


async def test_an_assertion_is_none_of_our_tokens_and_the_other_way_round() -> None:
    with pytest.raises(NotAuthenticated):
        await JOSE.verify(assertion(), "JWT", None)
    await refused(await signed(iss=UNITE, sub=UNITE, aud=ISSUER, jti="once"))


@pytest.mark.parametrize("jti", ["", "\ud800", "x" * 2_001], ids=["empty", "half a character", "endless"])
async def test_an_assertion_is_named_by_something_that_can_be_remembered(jti: str) -> None:
    await refused(assertion(jti=jti))


async def test_an_assertion_that_names_no_key_is_held_against_the_only_one() -> None:
    text = assertion(header={})
    assert await verified(text, jwk(CLIENT_RSA, None)) == ASSERTED["jti"]
    await refused(text)
