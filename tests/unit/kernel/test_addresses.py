"""Addresses that operators register: where people and codes are sent, so nothing doubtful is taken."""

import pytest

from shared.kernel.addresses import https_address


@pytest.mark.parametrize(
    "address",
    [
        "https://unite.example/signin",
        "https://unite.example",
        "https://unite.example:8443/signin?tenant=a&b=c",
        "https://xn--bcher-kva.example/",
        "http://localhost/signin",
        "http://localhost:7071/signin",
        "http://127.0.0.1:7071/signin",
    ],
)
def test_an_absolute_https_address_is_taken_as_it_is(address: str) -> None:
    assert https_address(address) == address


@pytest.mark.parametrize(
    "address",
    [
        "",
        "/signin",
        "//unite.example/signin",
        "unite.example/signin",
        "https:/unite.example",
        "https://",
        "https:///signin",
        "http://unite.example/signin",
        "http://localhost.unite.example/signin",
        "http://127.0.0.2/signin",
        "ftp://localhost/signin",
        "javascript:alert(1)//https://unite.example",
        "data:text/html,x",
        "com.unite.app://signin",
        "https://unite.example/signin#fragment",
        "https://user@unite.example/signin",
        "https://user:pw@unite.example/signin",
        "https://unite.example\\@attacker.example/",
        "https://unite.example/sign in",
        "https://unite.example/signin\n",
        "https://unite.example/\u00fc",
        "https://[unite.example/signin",
    ],
)
def test_any_other_address_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match=r"Invalid IPv6 URL|absolute https address"):
        https_address(address)
