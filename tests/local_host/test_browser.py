"""The browser of tests and demo takes and leaves cookies as Chromium and Firefox do."""

import pytest

from local.cast.browser import Browser

SOUND = "path=/; secure; samesite=lax; httponly"


def kept(line: str) -> bool:
    with Browser() as browser:
        browser._keep("sso.example", line)
        return bool(browser._cookies)


@pytest.mark.parametrize("name", ["__Host-a", "__host-a", "__HOST-A", "__Secure-a", "plain"])
def test_a_cookie_that_keeps_what_its_name_promises_is_kept(name: str) -> None:
    assert kept(f"{name}=1; {SOUND}")
    assert kept(f"{name}=1; domain=; {SOUND}"), "an empty domain is none"


@pytest.mark.parametrize(
    "attributes",
    [
        f"domain=sso.example; {SOUND}",
        f"Domain=example; {SOUND}",
        "path=/; samesite=lax",
        "secure",
        "path=; secure",
        "path=/v1; secure",
        "",
    ],
)
@pytest.mark.parametrize("name", ["__Host-a", "__host-a"])
def test_a_cookie_for_one_host_that_could_be_another_hosts_is_refused(name: str, attributes: str) -> None:
    assert not kept(f"{name}=1; {attributes}")
    assert kept(f"a={name}; {attributes}"), "a value promises nothing"


def test_a_secure_cookie_may_have_a_domain_but_must_be_secure() -> None:
    assert kept(f"__Secure-a=1; domain=sso.example; {SOUND}")
    assert not kept("__Secure-a=1; path=/")
