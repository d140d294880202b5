"""The grammar of authorization requests: no input makes anything but a request or a refusal in OAuth's words."""

import re
from collections.abc import Mapping
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shared.applications.application import Application, AuthMethod, CodeBinding, application_key
from shared.kernel.refusals import Malformed
from shared.ports.table import Insert
from shared.provider.authorization_request import (
    AuthorizationRequest,
    Prompt,
    check_request,
    state_of,
)
from shared.provider.errors import OAuthError
from shared.provider.issuer import challenge_of
from shared.provider.parameters import LONGEST_TOKEN, one, with_query
from shared.provider.requesting_client import client_id_of, find_client
from tests.support.fakes import InMemoryTable
from tests.unit.provider.world import ALICE, CALLBACK, UNITE, VERIFIER, application, sent

CHALLENGE = challenge_of(VERIFIER)
GOOD = {
    "client_id": "unite",
    "redirect_uri": CALLBACK,
    "response_type": "code",
    "scope": "openid",
    "code_challenge": CHALLENGE,
    "code_challenge_method": "S256",
}
NAMES = (*GOOD, "state", "nonce", "prompt", "max_age", "login_hint", "response_mode", "request", "request_uri")
DESCRIPTION = re.compile(r"[\x20-\x21\x23-\x5b\x5d-\x7e]+")
"""What error_description may hold (RFC 6749, section 4.1.2.1)."""

WORDS = st.one_of(st.text(max_size=20), st.sampled_from(["", *GOOD.values(), "query", "none", "login consent", "60"]))
INVENTED = st.dictionaries(
    st.one_of(st.sampled_from(NAMES), st.text(max_size=5)), st.lists(WORDS, max_size=3).map(tuple)
)


def read(**changes: str | tuple[str, ...] | None) -> AuthorizationRequest:
    return check_request(sent(**{**GOOD, **changes}), application(), CALLBACK)


def test_the_least_that_is_asked_is_a_request() -> None:
    assert read() == AuthorizationRequest(
        client_id=UNITE, redirect_uri=CALLBACK, scope=("openid",), code_challenge=CHALLENGE
    )


def test_everything_that_can_be_asked_is_read() -> None:
    everything = read(
        scope="profile offline_access openid email",
        response_mode="query",
        state="s",
        nonce="n",
        prompt="select_account consent",
        max_age="0",
        login_hint="alice",
    )
    assert everything == AuthorizationRequest(
        client_id=UNITE,
        redirect_uri=CALLBACK,
        scope=("openid", "email", "profile"),
        code_challenge=CHALLENGE,
        state="s",
        nonce="n",
        prompt=Prompt.SELECT_ACCOUNT,
        max_age=0,
        login_hint="alice",
    )


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": None}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": "code id_token"}, "unsupported_response_type"),
        ({"response_type": ("code", "code")}, "invalid_request"),
        ({"response_mode": "web_message"}, "invalid_request"),
        ({"response_mode": "FORM_POST"}, "invalid_request"),
        ({"request": "eyJhbGciOiJub25lIn0.e30."}, "request_not_supported"),
        ({"request_uri": "https://unite.example/request"}, "request_uri_not_supported"),
        ({"scope": None}, "invalid_scope"),
        ({"scope": "email profile"}, "invalid_scope"),
        ({"scope": "OpenID"}, "invalid_scope"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge": CHALLENGE + "="}, "invalid_request"),
        ({"code_challenge": CHALLENGE[1:]}, "invalid_request"),
        ({"code_challenge": CHALLENGE + "\n"}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": "s256"}, "invalid_request"),
        ({"prompt": "none login"}, "invalid_request"),
        ({"prompt": "none consent"}, "invalid_request"),
        ({"max_age": "-1"}, "invalid_request"),
        ({"max_age": "1.5"}, "invalid_request"),
        ({"max_age": "٣"}, "invalid_request"),
        ({"max_age": "9999999999"}, "invalid_request"),
        ({"prompt": "none", "login_hint": ALICE.address, "max_age": "0"}, "login_required"),
        *(({name: ("1", "2")}, "invalid_request") for name in ("state", "nonce", "prompt", "max_age", "login_hint")),
        *(({name: "x" * 4_097}, "invalid_request") for name in ("state", "nonce")),
        *(({name: "x" * 2_001}, "invalid_request") for name in ("scope", "login_hint")),
    ],
)
def test_a_fault_has_its_registered_code(changes: dict[str, str | tuple[str, ...] | None], error: str) -> None:
    with pytest.raises(OAuthError) as refused:
        read(**changes)
    assert refused.value.error == error


@pytest.mark.parametrize(
    ("asked", "prompt"),
    [
        (None, None),
        ("", None),
        (" ", None),
        ("consent", None),
        ("none", Prompt.NONE),
        ("none none", Prompt.NONE),
        ("login", Prompt.LOGIN),
        ("login consent", Prompt.LOGIN),
        ("login login", Prompt.LOGIN),
        ("select_account", Prompt.SELECT_ACCOUNT),
        ("login select_account", Prompt.LOGIN),
        ("create", None),
        ("none create", Prompt.NONE),
    ],
)
def test_a_prompt_is_one_or_none(asked: str | None, prompt: Prompt | None) -> None:
    assert read(prompt=asked, login_hint=ALICE.address).prompt == prompt


@pytest.mark.parametrize(
    ("binding", "sent_with", "refused"),
    [
        (CodeBinding.PKCE, {"nonce": "n"}, True),
        (CodeBinding.PKCE_OR_NONCE, {}, True),
        (CodeBinding.PKCE_OR_NONCE, {"nonce": ""}, True),
        (CodeBinding.PKCE_OR_NONCE, {"nonce": "n"}, False),
        (CodeBinding.NONE, {}, False),
        *((binding, {"code_challenge_method": "S256"}, True) for binding in CodeBinding),
        *((binding, {"code_challenge": CHALLENGE, "code_challenge_method": "plain"}, True) for binding in CodeBinding),
    ],
)
def test_a_code_is_bound_as_the_client_is_registered(
    binding: CodeBinding, sent_with: dict[str, str], *, refused: bool
) -> None:
    client = application(token_endpoint_auth_method=AuthMethod.CLIENT_SECRET_BASIC, code_binding=binding)
    parameters = sent(**GOOD | {"code_challenge": None, "code_challenge_method": None} | sent_with)
    if refused:
        with pytest.raises(OAuthError, match="code_challenge") as fault:
            check_request(parameters, client, CALLBACK)
        assert fault.value.error == "invalid_request"
    else:
        request = check_request(parameters, client, CALLBACK)
        assert request.code_challenge is None
        assert "code_challenge_method" not in request.parameters()


def read_or_refused(parameters: dict[str, tuple[str, ...]]) -> AuthorizationRequest | OAuthError:
    try:
        return check_request(parameters, application(), CALLBACK)
    except OAuthError as refused:
        return refused


@given(INVENTED)
def test_no_input_makes_anything_but_a_request_or_an_oauth_error(parameters: dict[str, tuple[str, ...]]) -> None:
    wanted = {name: (value,) for name, value in GOOD.items()} | parameters
    for asked in (parameters, wanted):
        match read_or_refused(asked):
            case OAuthError(detail=detail):
                assert DESCRIPTION.fullmatch(detail)
            case request:
                assert (request.client_id, request.redirect_uri) == (UNITE, CALLBACK)


async def found(parameters: Mapping[str, tuple[str, ...]], client: Application) -> tuple[Application, str]:
    """What is found where only this client is registered."""
    table = InMemoryTable()
    await table.write(Insert(application_key(client.client_id), client.document()))
    return await find_client(table, parameters)


@given(INVENTED)
async def test_no_input_makes_a_client_or_an_address_that_is_not_registered(
    parameters: dict[str, tuple[str, ...]],
) -> None:
    try:
        assert (client_id_of(parameters),) == parameters["client_id"]
    except Malformed:
        assert parameters.get("client_id") != ("unite",)
    for asked in (parameters, parameters | {"client_id": ("unite",)}):
        try:
            assert await found(asked, application()) == (application(), CALLBACK)
        except Malformed:
            assert (asked.get("client_id"), asked.get("redirect_uri")) != (("unite",), (CALLBACK,))


TEXT = st.text(min_size=1, max_size=20)


@given(
    scope=st.sampled_from([("openid",), ("openid", "email"), ("openid", "email", "profile")]),
    state=st.none() | TEXT,
    nonce=st.none() | TEXT,
    prompt=st.none() | st.sampled_from(Prompt),
    max_age=st.none() | st.integers(0, 999_999_999),
    login_hint=st.none() | TEXT | st.just(ALICE.address),
    id_token_hint=st.none() | TEXT,
)
def test_asking_again_asks_for_the_same(**asked: object) -> None:
    request = AuthorizationRequest(client_id=UNITE, redirect_uri=CALLBACK, code_challenge=CHALLENGE, **asked)
    if request.prompt is Prompt.NONE and request.max_age == 0:
        with pytest.raises(OAuthError, match=r"asked|asking"):
            check_request(sent(**request.parameters()), application(), CALLBACK)
    else:
        assert check_request(sent(**request.parameters()), application(), CALLBACK) == request


@pytest.mark.parametrize("client_id", [None, "", ("unite", "unite"), "un ite", "x" * 65, "x" * 3_000, "unite\n"])
def test_who_does_not_say_who_they_are_is_told_on_a_page(client_id: str | tuple[str, ...] | None) -> None:
    with pytest.raises(Malformed, match="client_id"):
        client_id_of(sent(client_id=client_id))


@pytest.mark.parametrize(
    "redirect_uri",
    [
        None,
        "",
        (CALLBACK, CALLBACK),
        CALLBACK + "/",
        CALLBACK + "?a=b",
        CALLBACK + "#",
        CALLBACK.replace("callback", "Callback"),
        CALLBACK.replace("https", "http"),
        CALLBACK.replace("unite.example", "unite.example."),
        CALLBACK.replace("unite.example", "unite.example:443"),
        CALLBACK.replace("unite.example", "unite.example@evil.example"),
        CALLBACK.replace("callback", "x/../callback"),
    ],
)
async def test_an_address_that_is_not_registered_to_the_letter_is_refused(
    redirect_uri: str | tuple[str, ...] | None,
) -> None:
    with pytest.raises(Malformed, match="redirect_uri"):
        await found(sent(client_id=UNITE, redirect_uri=redirect_uri), application())


async def test_an_application_without_addresses_has_no_good_one() -> None:
    with pytest.raises(Malformed, match="redirect_uri"):
        await found(sent(client_id=UNITE, redirect_uri=""), application(redirect_uris=()))


def test_a_parameter_has_one_value_of_honest_length() -> None:
    assert one(sent(a="x" * 2_000), "a") == "x" * 2_000
    assert one(sent(a="x" * LONGEST_TOKEN), "a", LONGEST_TOKEN) == "x" * LONGEST_TOKEN
    assert [one(sent(a=""), "a"), one({"a": ()}, "a"), one({}, "a")] == [None, None, None]
    for refused in (sent(a="x" * 2_001), sent(a=("x", "x")), sent(a=("", ""))):
        with pytest.raises(OAuthError, match="'a'"):
            one(refused, "a")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://a.example/b", "https://a.example/b?code=c+d%26"),
        ("https://a.example", "https://a.example?code=c+d%26"),
        ("https://a.example/b?flag", "https://a.example/b?flag&code=c+d%26"),
        ("https://a.example/b?x=%FF&x=a/b", "https://a.example/b?x=%FF&x=a/b&code=c+d%26"),
        ("https://a.example/b?x=", "https://a.example/b?x=&code=c+d%26"),
    ],
)
def test_what_stands_in_a_query_stays_to_the_letter(url: str, expected: str) -> None:
    assert with_query(url, code="c d&", state=None) == expected
    assert with_query(url, code=None) == url


@given(
    query=st.lists(st.tuples(st.text("ab%=+ é", min_size=1), st.text("ab&?# é"))),
    added=st.dictionaries(st.sampled_from(["code", "state", "iss"]), st.none() | st.text()),
)
@example(query=[], added={"state": '"><script>#&=+%'})
def test_what_is_added_to_a_query_comes_out_as_it_went_in(
    query: list[tuple[str, str]], added: dict[str, str | None]
) -> None:
    url = with_query(CALLBACK, **{f"q{place}": f"{name}={value}" for place, (name, value) in enumerate(query)})
    before = parse_qsl(urlsplit(url).query, keep_blank_values=True)
    after = urlsplit(with_query(url, **added))
    given_values = [(name, value) for name, value in added.items() if value is not None]
    assert parse_qsl(after.query, keep_blank_values=True) == [*before, *given_values]
    assert after._replace(query="").geturl() == CALLBACK


@pytest.mark.parametrize("name", ["state", "nonce"])
def test_what_is_the_clients_own_may_be_as_long_as_a_page(name: str) -> None:
    assert one(sent(**{name: "x" * 4_096}), name) == "x" * 4_096


def test_a_refusal_returns_the_state_however_long_it_is() -> None:
    assert state_of(sent(state="s" * 9_000)) == "s" * 9_000
    assert [state_of(sent(state=("a", "b"))), state_of(sent(state="")), state_of({})] == [None, None, None]
