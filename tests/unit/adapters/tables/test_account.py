"""Where the tables are, and what proves to them who asks."""

import pytest

from shared.adapters.tables.account import Account

NAMED = "AccountName=acme;AccountKey=c2VjcmV0"


@pytest.mark.parametrize(
    ("text", "endpoint"),
    [
        (f"{NAMED};EndpointSuffix=core.windows.net", "https://acme.table.core.windows.net"),
        (f"DefaultEndpointsProtocol=https;{NAMED};EndpointSuffix=a.example;", "https://acme.table.a.example"),
        (f"{NAMED};TableEndpoint=https://acme.table.cosmos.azure.com:443/", "https://acme.table.cosmos.azure.com:443"),
        (f"{NAMED};TableEndpoint=http://127.0.0.1:9/acme", "http://127.0.0.1:9/acme"),
        (f"{NAMED};TableEndpoint=http://localhost:9/acme", "http://localhost:9/acme"),
    ],
)
def test_a_connection_string_names_the_account_and_where_it_is(text: str, endpoint: str) -> None:
    """https://learn.microsoft.com/azure/storage/common/storage-configure-connection-string."""
    account = Account.from_connection_string(text)
    assert (account.endpoint, account.name, account.key) == (endpoint, "acme", "c2VjcmV0")


@pytest.mark.parametrize(
    "endpoint",
    [
        "",
        "acme.table.core.windows.net",
        "http://acme.table.core.windows.net",
        "http://169.254.169.254",
        "https://user:password@acme.table.core.windows.net",
        "https://acme.table.core.windows.net?sig=secret",
        "https://acme.table.core.windows.net#fragment",
        "ftp://acme.table.core.windows.net",
    ],
)
def test_nothing_is_sent_in_the_clear_but_on_this_machine(endpoint: str) -> None:
    with pytest.raises(ValueError, match="https"):
        Account(endpoint=endpoint)
    with pytest.raises(ValueError, match="https"):
        Account.from_connection_string(f"DefaultEndpointsProtocol=http;{NAMED};EndpointSuffix=core.windows.net")


def test_the_key_is_in_no_text_of_an_account() -> None:
    assert "c2VjcmV0" not in repr(Account.from_connection_string(f"{NAMED};EndpointSuffix=core.windows.net"))


@pytest.mark.parametrize(
    ("host", "scope"),
    [
        ("acme.table.core.windows.net", "https://storage.azure.com/.default"),
        ("acme.table.cosmos.azure.com", "https://cosmos.azure.com/.default"),
        ("acme.table.cosmosdb.azure.com", "https://cosmos.azure.com/.default"),
        ("acme.privatelink.example", "https://storage.azure.com/.default"),
    ],
)
def test_tokens_are_asked_for_the_service_that_the_address_belongs_to(host: str, scope: str) -> None:
    assert Account(endpoint=f"https://{host}").scope == scope
