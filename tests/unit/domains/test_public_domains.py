"""Domains that route to no account: Microsoft's own in every cloud, and those where anybody can get an address."""

import pytest

from local.public_domains import FILE, PACKAGE, rendered
from shared.domains.public_domains import is_routable
from shared.kernel.names import DomainName


@pytest.mark.parametrize(
    "domain",
    [
        "contoso.onmicrosoft.com",
        "contoso.mail.onmicrosoft.com",
        "contoso.onmicrosoft.us",
        "contoso.partner.onmschina.cn",
        "contoso.mail.partner.onmschina.cn",
        "contoso.onmicrosoft.de",
        "contoso.onms.fr",
        "contoso.microsoftonline.com",
        "onmicrosoft.com",
        "Contoso.OnMicrosoft.com",
    ],
)
def test_where_a_tenant_of_any_cloud_gets_its_first_domain_nothing_routes(domain: str) -> None:
    assert not is_routable(DomainName(domain))
    assert not is_routable(DomainName(domain), named=True)


@pytest.mark.parametrize("domain", ["gmail.com", "outlook.com", "tuta.com", "hey.com", "web.de"])
def test_a_well_known_mail_service_never_routes_whatever_the_vendor_names(domain: str) -> None:
    assert not is_routable(DomainName(domain), named=True)


@pytest.mark.parametrize("domain", ["hushmail.com", "seznam.cz", "wp.pl", "mailinator.com", "freenet.de"])
def test_a_domain_of_the_list_routes_only_to_an_account_for_which_the_vendor_names_it(domain: str) -> None:
    assert not is_routable(DomainName(domain))
    assert is_routable(DomainName(domain), named=True)


@pytest.mark.parametrize("domain", ["contoso.example", "notonmicrosoft.com", "microsoft.com", "mail.seznam.cz"])
def test_other_domains_route(domain: str) -> None:
    assert is_routable(DomainName(domain))


def test_the_file_says_where_it_comes_from_and_when_and_is_as_its_command_writes_it() -> None:
    text = FILE.read_text(encoding="ascii")
    header = [line for line in text.splitlines() if line.startswith("#")]
    version, fetched = header[1].split()[3], header[-1].split()[-1]
    names = [line for line in text.splitlines() if not line.startswith("#")]
    assert f"{PACKAGE} {version} from npm" in header[1]
    assert "Licence: MIT" in header[3]
    assert text == rendered(PACKAGE, version, names, fetched)
    assert len(names) > 10_000


def test_names_that_no_address_can_have_are_left_out() -> None:
    text = rendered(PACKAGE, "1.0.0", ["Web.DE", "web.de", "localhost", "a_b.example", "gmx.at"], "2026-11-26")
    assert [line for line in text.splitlines() if not line.startswith("#")] == ["gmx.at", "web.de"]
