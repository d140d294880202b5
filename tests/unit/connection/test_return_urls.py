"""A browser returns only below what the operator lists, however the address is written."""

import posixpath
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shared.connection.return_urls import ReturnUrls, with_outcome
from shared.kernel.refusals import Invalid

ALLOWED = ReturnUrls.parse(("https://panel.example/sso/", "http://localhost:7071/back"))

ORIGINS = ["https:", "http:", "//", "panel.example", "localhost:7071", "evil.example", "@", ":443", "[", "]", "\u3002"]
STEPS = ["/", "\\", "sso", "back", "..", ".", "%2e", "%252e", "%2f", "%5c", ";", "?", "#", "a", "\t", "\x00", "\uff0f"]
PIECES = st.sampled_from([*ORIGINS, *STEPS])
WRITTEN = st.one_of(
    st.text(),
    st.lists(PIECES).map("".join),
    st.lists(PIECES).map(lambda pieces: "https://panel.example/sso/" + "".join(pieces)),
)


def allowed(url: str) -> bool:
    try:
        return ALLOWED.check(url) == url
    except Invalid:
        return False


def landing(url: str) -> tuple[str, str, str]:
    """Where a lenient server takes the browser: decoded to the end, parameters dropped, steps walked."""
    split, path = urlsplit(url), ""
    following = split.path
    while path != following:
        path, following = following, unquote(following)
    steps = [step.partition(";")[0] for step in path.replace("\\", "/").split("/")]
    return split.scheme, split.netloc, posixpath.normpath("/".join(steps)) + "/"


@given(WRITTEN)
@example("https://panel.example/sso/..;/evil")
@example("https://[panel.example/sso/")
@example("https://panel.example/sso/%252e%252e%255cevil")
def test_whatever_is_allowed_stays_below(url: str) -> None:
    if allowed(url):
        scheme, netloc, path = landing(url)
        prefixes = [("https", "panel.example", "/sso/"), ("http", "localhost:7071", "/back/")]
        assert any((scheme, netloc) == prefix[:2] and path.startswith(prefix[2]) for prefix in prefixes)


@pytest.mark.parametrize(
    "url",
    [
        "https://panel.example/sso",
        "https://panel.example/sso/",
        "https://panel.example/sso/a/b.c?d=e&f=../..#g",
        "https://panel.example/sso/" + "a" * 1_974,
        "http://localhost:7071/back",
        "http://localhost:7071/back/x;y",
    ],
)
def test_what_is_below_is_allowed(url: str) -> None:
    assert allowed(url)


def test_an_address_has_2000_characters_at_most() -> None:
    assert not allowed("https://panel.example/sso/" + "a" * 1_975)


@pytest.mark.parametrize("url", ["https://panel.example/", "https://panel.example/sso/", ""])
def test_without_a_list_nothing_is_allowed(url: str) -> None:
    with pytest.raises(Invalid):
        ReturnUrls.parse(()).check(url)


@pytest.mark.parametrize(
    "prefix",
    [
        "",
        "panel.example/sso/",
        "//panel.example/sso/",
        "http://panel.example/sso/",
        "ftp://panel.example/sso/",
        "https:///sso/",
        "https://user@panel.example/sso/",
        "https://panel.example/sso/?a=b",
        "https://panel.example/sso/#a",
        "https://[panel.example/sso/",
    ],
)
def test_an_operator_can_list_only_plain_https_addresses(prefix: str) -> None:
    with pytest.raises(ValueError, match=r"https address|IPv6"):
        ReturnUrls.parse((prefix,))


@given(st.lists(st.tuples(st.text(), st.text())), st.sampled_from(["connected", "refused"]))
def test_the_outcome_is_added_and_what_was_there_is_kept(query: list[tuple[str, str]], outcome: str) -> None:
    kept = [(name, value) for name, value in query if name != "connection"]
    from_them = "&".join(f"{_encoded(name)}={_encoded(value)}" for name, value in query)
    url = with_outcome(f"https://panel.example/sso/x?{from_them}#there", outcome)
    assert parse_qsl(urlsplit(url).query, keep_blank_values=True) == [*kept, ("connection", outcome)]
    assert url.startswith("https://panel.example/sso/x?")
    assert url.endswith("#there")


def _encoded(text: str) -> str:
    return "".join(f"%{byte:02X}" for byte in text.encode())


@pytest.mark.parametrize(
    ("url", "back"),
    [
        ("?q=a%20b+c&flag&empty=&x=%C3%A4", "?q=a%20b+c&flag&empty=&x=%C3%A4&connection=connected"),
        ("?sig=a/b:c,d;e@f&connection=old#top", "?sig=a/b:c,d;e@f&connection=connected#top"),
        ("?%63onnection=old&connections=kept", "?connections=kept&connection=connected"),
        ("?a=1&&b=2&", "?a=1&&b=2&&connection=connected"),
        ("?&connection=old&x", "?&x&connection=connected"),
        ("", "?connection=connected"),
    ],
)
def test_the_query_of_the_return_address_is_kept_to_the_letter(url: str, back: str) -> None:
    """It may be signed, or read by a router that tells `a%20b` from `a+b`."""
    assert with_outcome(f"https://panel.example/sso/{url}", "connected") == f"https://panel.example/sso/{back}"
