"""Clients prove who they are by the one method that they are registered with."""

import asyncio
import base64
import json
from datetime import timedelta
from urllib.parse import quote_plus

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from shared.applications.application import AssertionAudience, AuthMethod, application_key
from shared.flows.flows import digest
from shared.flows.purge import purge_expired
from shared.kernel.names import ClientId
from shared.kernel.refusals import Unavailable
from shared.ports.table import Key, Put
from shared.provider.client_authentication import UnverifiedCredentials, read_credentials
from shared.provider.errors import InvalidClientError, OAuthError
from tests.support.interleaving import LostAnswers
from tests.unit.provider.world import (
    ISSUER,
    OLGA,
    OTHER,
    TOKEN_ENDPOINT,
    UNITE,
    WHATEVER_STANDS,
    Provider,
    application,
    profile,
    sent,
)

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
SECRETS = [AuthMethod.CLIENT_SECRET_BASIC, AuthMethod.CLIENT_SECRET_POST]
PRIVATE = ec.generate_private_key(ec.SECP256R1())
JWKS = {"keys": [json.loads(jwt.algorithms.ECAlgorithm.to_jwk(PRIVATE.public_key())) | {"kid": "unites"}]}


def basic(name: str, secret: str, scheme: str = "Basic") -> str:
    """RFC 6749, section 2.3.1: form-encoded, then in base64."""
    return f"{scheme} {base64.b64encode(f'{quote_plus(name)}:{quote_plus(secret)}'.encode()).decode()}"


def assertion(provider: Provider, **changes: object) -> str:
    at = provider.clock.now().timestamp()
    claims = {"iss": UNITE, "sub": UNITE, "aud": ISSUER, "exp": at + 60, "jti": "once"} | changes
    return jwt.encode(claims, PRIVATE, "ES256", {"kid": "unites"})


def asserted(text: str, client_id: str | None = UNITE) -> dict[str, tuple[str, ...]]:
    return sent(client_id=client_id, client_assertion=text, client_assertion_type=ASSERTION_TYPE)


def unsigned(payload: bytes) -> str:
    return f"e30.{base64.urlsafe_b64encode(payload).decode().rstrip('=')}.e30"


# -- what a client says -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("authorization", "parameters", "expected"),
    [
        (None, sent(client_id="unite"), UnverifiedCredentials(UNITE, AuthMethod.NONE, "")),
        (None, sent(client_id="unite", client_secret=""), UnverifiedCredentials(UNITE, AuthMethod.NONE, "")),
        (
            None,
            sent(client_id="unite", client_secret="s"),
            UnverifiedCredentials(UNITE, AuthMethod.CLIENT_SECRET_POST, "s"),
        ),
        (None, asserted("a.b.c"), UnverifiedCredentials(UNITE, AuthMethod.PRIVATE_KEY_JWT, "a.b.c")),
        (basic("unite", "s"), {}, UnverifiedCredentials(UNITE, AuthMethod.CLIENT_SECRET_BASIC, "s")),
        (
            basic("unite", "s", "bAsIc"),
            sent(client_id="unite"),
            UnverifiedCredentials(UNITE, AuthMethod.CLIENT_SECRET_BASIC, "s"),
        ),
        (basic("unite", "a:b %é+"), {}, UnverifiedCredentials(UNITE, AuthMethod.CLIENT_SECRET_BASIC, "a:b %é+")),
    ],
)
def test_a_client_says_who_it_is(authorization: str | None, parameters: dict, expected: UnverifiedCredentials) -> None:
    assert read_credentials(authorization, parameters) == expected


def test_an_assertion_says_who_the_client_is_if_nothing_else_does() -> None:
    text = unsigned(b'{"sub": "unite"}')
    assert read_credentials(None, asserted(text, client_id=None)) == UnverifiedCredentials(
        UNITE, AuthMethod.PRIVATE_KEY_JWT, text
    )


@pytest.mark.parametrize(
    "text",
    ["", ".", "a.b.c", "é.é.é", "e30." + "x" * 7]
    + [unsigned(each) for each in (b"", b"[]", b"{}", b'{"sub":7}', b'{"sub":"un ite"}', b"\xff", b"[" * 9_000)],
)
def test_an_assertion_that_names_nobody_is_nobodys(text: str) -> None:
    with pytest.raises(InvalidClientError):
        read_credentials(None, asserted(text, client_id=None))


@pytest.mark.parametrize(
    ("authorization", "parameters"),
    [
        (basic("unite", "s"), sent(client_secret="s")),
        (basic("unite", "s"), asserted("a.b.c")),
        (None, asserted("a.b.c") | sent(client_secret="s")),
        (basic("unite", "s"), sent(client_id="other")),
        (None, sent(client_id="unite", client_assertion="a.b.c")),
        (None, sent(client_id="unite", client_assertion="a.b.c", client_assertion_type="saml2-bearer")),
        (None, sent(client_id=("unite", "unite"))),
        (None, sent(client_id="unite", client_secret=("s", "s"))),
        (None, sent(client_id="unite", client_secret="s" * 2_001)),
        (None, asserted("a" * 16_001)),
    ],
)
def test_who_says_it_in_two_ways_is_told_so(authorization: str | None, parameters: dict) -> None:
    with pytest.raises((OAuthError, InvalidClientError)) as refused:
        read_credentials(authorization, parameters)
    assert refused.value.error == "invalid_request"


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Basic",
        "Basic !!!!",
        "Basic é",
        "Basic " + base64.b64encode(b"\xff:\xff").decode(),
        "Basic " + base64.b64encode(b"no colon").decode(),
        basic("", "s"),
        basic("un ite", "s"),
        basic("unite\n", "s"),
        basic("unite", "s", "Bearer"),
    ],
)
def test_a_header_that_cannot_be_read_is_a_strangers(authorization: str) -> None:
    with pytest.raises(InvalidClientError):
        read_credentials(authorization, {})


NAMES = ("client_id", "client_secret", "client_assertion", "client_assertion_type")


def credentials_or_refusal(authorization: str | None, parameters: dict) -> UnverifiedCredentials | OAuthError:
    try:
        return read_credentials(authorization, parameters)
    except (OAuthError, InvalidClientError) as refused:
        return refused


@given(
    authorization=st.none() | st.text() | st.binary().map(lambda raw: f"Basic {base64.b64encode(raw).decode()}"),
    parameters=st.dictionaries(
        st.sampled_from(NAMES),
        st.lists(st.text() | st.sampled_from(["unite", ASSERTION_TYPE, "e30.e30.e30"]), max_size=2).map(tuple),
    ),
)
def test_no_input_makes_anything_but_credentials_or_an_oauth_error(authorization: str | None, parameters: dict) -> None:
    match credentials_or_refusal(authorization, parameters):
        case UnverifiedCredentials(client_id):
            assert ClientId(client_id) == client_id
        case OAuthError(error=error) | InvalidClientError(error=error):
            assert error in {"invalid_client", "invalid_request"}


# -- what is proven ---------------------------------------------------------------------------------------------------


async def refused(provider: Provider, authorization: str | None, parameters: dict) -> str:
    with pytest.raises(InvalidClientError) as stranger:
        await provider.clients.authenticate(authorization, parameters)
    return stranger.value.detail


async def test_a_public_client_needs_no_proof(provider: Provider) -> None:
    await provider.add()
    assert (await provider.clients.authenticate(None, sent(client_id="unite"))).client_id == UNITE


@pytest.mark.parametrize("method", SECRETS)
async def test_a_secret_proves_a_client_in_the_header_and_in_the_form(provider: Provider, method: AuthMethod) -> None:
    await provider.add(token_endpoint_auth_method=method)
    await provider.add(OTHER, token_endpoint_auth_method=method)
    secret = await provider.register.renew_secret(OLGA, UNITE, WHATEVER_STANDS)
    others = await provider.register.renew_secret(OLGA, OTHER, WHATEVER_STANDS)
    in_header, in_form = (basic("unite", secret), {}), (None, sent(client_id="unite", client_secret=secret))
    for sent_either_way in (in_header, in_form):
        assert (await provider.clients.authenticate(*sent_either_way)).client_id == UNITE
    said = {
        await refused(provider, None, sent(client_id="unite")),
        await refused(provider, basic("unite", others), {}),
        await refused(provider, None, sent(client_id="unite", client_secret=others)),
        await refused(provider, basic("unite", ""), {}),
        await refused(provider, None, sent(client_id="nobody", client_secret=secret)),
    }
    assert len(said) == 1, "nobody learns what was wrong"


@pytest.mark.parametrize("method", SECRETS)
async def test_a_client_without_a_secret_yet_has_no_good_one(provider: Provider, method: AuthMethod) -> None:
    await provider.add(token_endpoint_auth_method=method)
    await refused(provider, basic("unite", "None"), {})
    await refused(provider, None, sent(client_id="unite", client_secret="None"))


@pytest.mark.parametrize("audience", [ISSUER, TOKEN_ENDPOINT, [TOKEN_ENDPOINT, "https://elsewhere.example"]])
@pytest.mark.parametrize("client_id", [UNITE, None])
async def test_an_assertion_proves_a_client(
    provider: Provider, audience: str | list[str], client_id: str | None
) -> None:
    kept = {"assertion_audience": AssertionAudience.TOKEN_ENDPOINT}
    await provider.add(token_endpoint_auth_method=AuthMethod.PRIVATE_KEY_JWT, jwks=JWKS, **kept)
    text = assertion(provider, aud=audience)
    assert (await provider.clients.authenticate(None, asserted(text, client_id))).client_id == UNITE


@pytest.mark.parametrize(
    "changes", [{"aud": "https://elsewhere.example"}, {"iss": "other"}, {"sub": "other"}, {"jti": None}, {"exp": 1}]
)
async def test_an_assertion_that_does_not_hold_proves_nothing(provider: Provider, changes: dict[str, object]) -> None:
    await provider.add(token_endpoint_auth_method=AuthMethod.PRIVATE_KEY_JWT, jwks=JWKS)
    await refused(provider, None, asserted(assertion(provider, **changes)))
    assert len(provider.flows_table) == 0


async def test_a_client_that_was_registered_before_there_was_a_choice_may_go_on_naming_the_endpoint(
    provider: Provider,
) -> None:
    known = application(token_endpoint_auth_method=AuthMethod.PRIVATE_KEY_JWT, jwks=JWKS)
    await provider.applications.write(Put(application_key(UNITE), known.document()))
    await provider.clients.authenticate(None, asserted(assertion(provider, aud=TOKEN_ENDPOINT)))
    renamed = {"name": "Unite 2", "token_endpoint_auth_method": AuthMethod.PRIVATE_KEY_JWT, "jwks": JWKS}
    await provider.register.put(OLGA, UNITE, profile(**renamed), WHATEVER_STANDS)
    await provider.clients.authenticate(None, asserted(assertion(provider, aud=TOKEN_ENDPOINT, jti="another")))


async def test_an_assertion_of_one_client_is_none_of_another(provider: Provider) -> None:
    for client_id in (UNITE, OTHER):
        await provider.add(client_id, token_endpoint_auth_method=AuthMethod.PRIVATE_KEY_JWT, jwks=JWKS)
    await refused(provider, None, asserted(assertion(provider), OTHER))


async def test_an_assertion_is_good_once_of_however_many_who_show_it(provider: Provider) -> None:
    await provider.add(token_endpoint_auth_method=AuthMethod.PRIVATE_KEY_JWT, jwks=JWKS)
    shown = asserted(assertion(provider))
    answers = await asyncio.gather(
        *(provider.clients.authenticate(None, shown) for _ in range(10)), return_exceptions=True
    )
    assert [type(answer) for answer in answers].count(InvalidClientError) == 9
    await provider.clients.authenticate(None, asserted(assertion(provider, jti="another")))


async def test_an_assertion_whose_answer_was_lost_is_not_taken_for_a_replay(provider: Provider) -> None:
    # By hand: no client authenticates in the disturbances.
    await provider.add(token_endpoint_auth_method=AuthMethod.PRIVATE_KEY_JWT, jwks=JWKS)
    clients, shown = provider.clients_on(LostAnswers(provider.flows_table)), asserted(assertion(provider))
    assert (await clients.authenticate(None, shown)).client_id == UNITE
    with pytest.raises(InvalidClientError):
        await clients.authenticate(None, shown)


async def test_an_assertion_that_is_purged_while_it_is_shown_again_is_refused(provider: Provider) -> None:
    # By hand: no client authenticates in the disturbances.
    await provider.add(token_endpoint_auth_method=AuthMethod.PRIVATE_KEY_JWT, jwks=JWKS)
    shown = asserted(assertion(provider))
    await provider.clients.authenticate(None, shown)

    async def another_purges() -> None:
        assert await purge_expired(provider.flows_table, provider.clock.now() + timedelta(days=1)) == 1

    async def once_it_was_found_to_be_used() -> None:
        provider.flows_raced.before_reading(another_purges)

    provider.flows_raced.before_writing(once_it_was_found_to_be_used)
    await refused(provider, None, shown)
    assert len(provider.flows_table) == 0


async def test_two_clients_may_use_one_jti(provider: Provider) -> None:
    for client_id in (UNITE, OTHER):
        await provider.add(client_id, token_endpoint_auth_method=AuthMethod.PRIVATE_KEY_JWT, jwks=JWKS)
        text = assertion(provider, iss=client_id, sub=client_id)
        assert (await provider.clients.authenticate(None, asserted(text, client_id))).client_id == client_id


async def test_an_assertion_is_remembered_for_longer_than_it_is_good(provider: Provider) -> None:
    await provider.add(token_endpoint_auth_method=AuthMethod.PRIVATE_KEY_JWT, jwks=JWKS)
    shown = asserted(assertion(provider))
    await provider.clients.authenticate(None, shown)
    for _ in range(250):
        await provider.flows.purge()
        await refused(provider, None, shown)
        provider.clock.advance(timedelta(seconds=1))
    assert await provider.flows.purge() == 0, "it was purged once it had expired"
    assert len(provider.flows_table) == 0


async def test_an_assertion_that_an_earlier_release_has_taken_is_not_taken_again(provider: Provider) -> None:
    await provider.add(token_endpoint_auth_method=AuthMethod.PRIVATE_KEY_JWT, jwks=JWKS)
    await provider.flows_table.write(Put(Key(digest(f"{UNITE} once"), "assertion"), "{}"))
    await refused(provider, None, asserted(assertion(provider)))


async def test_what_is_remembered_of_an_assertion_is_a_hash(provider: Provider) -> None:
    await provider.add(token_endpoint_auth_method=AuthMethod.PRIVATE_KEY_JWT, jwks=JWKS)
    await provider.clients.authenticate(None, asserted(assertion(provider, jti="a/b#c?\x00" + "x" * 1_000)))
    assert len(provider.flows_table) == 1


async def test_a_store_that_is_out_lets_nobody_in_and_blames_nobody(provider: Provider) -> None:
    await provider.add(token_endpoint_auth_method=AuthMethod.PRIVATE_KEY_JWT, jwks=JWKS)
    provider.flows_table.available = False
    with pytest.raises(Unavailable):
        await provider.clients.authenticate(None, asserted(assertion(provider)))


async def test_operators_read_which_application_was_refused_and_why_and_no_proof(
    provider: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    """The caller hears the same of each."""
    await provider.add(token_endpoint_auth_method=AuthMethod.CLIENT_SECRET_BASIC)
    shown = [
        sent(client_id="stranger", client_secret="s3"),
        sent(client_id="unite"),
        sent(client_id="unite", client_secret="s3"),
    ]
    for parameters in shown:
        await refused(provider, None, parameters)
    said = [record.getMessage() for record in caplog.records]
    assert said == [
        "client.refused application=stranger cause=unknown method=client_secret_post",
        "client.refused application=unite cause=method method=none",
        "client.refused application=unite cause=proof method=client_secret_post",
    ]
