"""Settings: what is missing or bad is named, with what to do; secrets are never shown."""

from datetime import timedelta
from pathlib import Path

import pytest
from azure_functions_runtime.utils.app_setting_manager import is_envvar_true
from azure_functions_runtime.utils.constants import PYTHON_APPLICATIONINSIGHTS_ENABLE_TELEMETRY

from shared.branding import Branding, Colour, Logo, VendorName
from shared.connection.return_urls import ReturnUrls
from shared.kernel.refusals import FieldFault
from shared.privacy.limits import FOR_EVER, Limits
from shared.settings import Misconfiguration, Settings, read_settings

SECRETS = {
    "SSO_TABLES_CONNECTION_STRING": "AccountName=dev;AccountKey=c2VjcmV0LW9mLXRoZS1zdG9yZQ==;TableEndpoint=http://127.0.0.1:10002/dev",
    "SSO_ENTRA_CLIENT_SECRET": "secret-of-the-registration",
    "SSO_PSEUDONYM_KEY": "secret-of-the-pseudonyms-secret-of-the-pseudonyms",
}

AZURE = {
    "SSO_PUBLIC_URL": "https://sso.vendor.example",
    "SSO_TABLES_URL": "https://vendor.table.core.windows.net",
    "SSO_IDENTITY_CLIENT_ID": "5e110000-0000-4000-8000-0000000001d0",
    "SSO_ENTRA_CLIENT_ID": "a5500000-0000-4000-8000-0000000000a5",
    "SSO_CONTROL_PANEL_ISSUER": "https://panel.vendor.example",
    "SSO_CONTROL_PANEL_AUDIENCE": "azure-sso",
    "SSO_SIGNING_KEY_URL": "https://vendor.vault.azure.net/keys/signing",
    "SSO_PSEUDONYM_KEY": SECRETS["SSO_PSEUDONYM_KEY"],
}
NOT_IN_DEVELOPMENT = {"SSO_TABLES_URL", "SSO_IDENTITY_CLIENT_ID", "SSO_SIGNING_KEY_URL"}

DEVELOPMENT = (
    {name: value for name, value in AZURE.items() if name not in NOT_IN_DEVELOPMENT}
    | SECRETS
    | {"SSO_SIGNING_KEY_FOLDER": ".local/keys"}
)


def settings(environment: dict[str, str]) -> Settings:
    read = read_settings(environment)
    assert isinstance(read, Settings), read
    return read


def faults(environment: dict[str, str]) -> dict[str, str]:
    read = read_settings(environment)
    assert isinstance(read, Misconfiguration)
    return {fault.field: fault.detail for fault in read.faults}


@pytest.mark.parametrize("environment", [AZURE, DEVELOPMENT], ids=["Azure", "development"])
def test_the_smallest_environment_is_enough(environment: dict[str, str]) -> None:
    read = settings(environment)
    assert read.public_url == "https://sso.vendor.example"
    assert read.entra_authority == "https://login.microsoftonline.com"
    assert read.graph_url == "https://graph.microsoft.com"
    assert read.return_urls == ReturnUrls(())


@pytest.mark.parametrize("space", ["\t", "\r\n", "\u00a0", "\u200b", "\ufeff", "\u200e"], ids=ascii)
def test_what_is_pasted_around_an_id_or_an_address_does_not_count(space: str) -> None:
    environment = AZURE | {"SSO_RETURN_URLS": "https://panel.example/a,https://panel.example/b"}
    pasted = {
        name: ",".join(f"{space}{each}{space}" for each in value.split(",")) if name != "SSO_PSEUDONYM_KEY" else value
        for name, value in environment.items()
    }
    assert settings(pasted) == settings(environment)
    assert "SSO_ENTRA_CLIENT_ID" in faults(AZURE | {"SSO_ENTRA_CLIENT_ID": space})


@pytest.mark.parametrize("name", [name for name in AZURE if name not in NOT_IN_DEVELOPMENT])
@pytest.mark.parametrize("emptied", [False, True], ids=["missing", "empty"])
def test_a_missing_setting_is_named_with_what_it_is_for(name: str, *, emptied: bool) -> None:
    environment = AZURE | {name: ""} if emptied else {key: value for key, value in AZURE.items() if key != name}
    description = {field.alias: field.description for field in Settings.model_fields.values()}[name]
    assert faults(environment) == {name: f"Field required. {description}"}


def test_every_setting_says_what_it_is_for() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


def test_an_empty_environment_names_all_that_is_missing_at_once() -> None:
    assert set(faults({})) == set(AZURE) - NOT_IN_DEVELOPMENT


@pytest.mark.parametrize(
    "name",
    [
        "SSO_PUBLIC_URL",
        "SSO_TABLES_URL",
        "SSO_ENTRA_AUTHORITY",
        "SSO_GRAPH_URL",
        "SSO_CONTROL_PANEL_ISSUER",
        "SSO_SIGNING_KEY_URL",
    ],
)
@pytest.mark.parametrize(
    "value",
    [
        "sso.example",
        "http://sso.example",
        "ftp://localhost",
        "https://",
        "https://sso.example?x=1",
        "https://user:password@sso.example",
        "https://sso.example#x",
        "https://[x",
    ],
)
def test_an_address_that_is_none_is_named(name: str, value: str) -> None:
    assert set(faults(AZURE | {name: value})) == {name}


def test_the_home_tenant_is_a_guid() -> None:
    assert set(faults(AZURE | {"SSO_ENTRA_HOME_TENANT": "vendor.example"})) == {"SSO_ENTRA_HOME_TENANT"}


def test_addresses_lose_the_slash_at_their_end() -> None:
    assert (
        settings(AZURE | {"SSO_PUBLIC_URL": "https://sso.vendor.example/base/"}).public_url
        == "https://sso.vendor.example/base"
    )


def test_an_issuer_keeps_it_because_issuers_are_compared_to_the_letter() -> None:
    issuer = "https://panel.vendor.example/"
    assert settings(AZURE | {"SSO_CONTROL_PANEL_ISSUER": issuer}).control_panel_issuer == issuer


@pytest.mark.parametrize(
    "text",
    [
        "UseDevelopmentStorage=true",
        "AccountName=dev;AccountKey=c2VjcmV0LW9mLXRoZS1zdG9yZQ==",
        "AccountName=dev;TableEndpoint=http://127.0.0.1:10002/dev",
        "AccountKey=c2VjcmV0LW9mLXRoZS1zdG9yZQ==;EndpointSuffix=core.windows.net",
        "AccountName=dev;AccountKey=c2VjcmV0LW9mLXRoZS1zdG9yZQ==;TableEndpoint=",
    ],
)
def test_a_connection_string_must_be_whole(text: str) -> None:
    sentence = faults(DEVELOPMENT | {"SSO_TABLES_CONNECTION_STRING": text})["SSO_TABLES_CONNECTION_STRING"]
    assert sentence.startswith("It must name AccountName, AccountKey and TableEndpoint or EndpointSuffix.")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("TableEndpoint=http://dev.example", "Its tables must be at an https address, or on this machine."),
        ("DefaultEndpointsProtocol=http;EndpointSuffix=a.example", "Its tables must be at an https address"),
        ("EndpointSuffix=a.example?x=1", "Its tables must be at an https address"),
        ("TableEndpoint=https://dev.example?x=1", "Its tables must be at an https address"),
        ("TableEndpoint=https://user@dev.example", "Its tables must be at an https address"),
        ("EndpointSuffix=a.example;AccountKey=c2VjcmV0LW9mLXRoZS1zdG9yZQ", "Its AccountKey must be base64."),
        ("EndpointSuffix=a.example;AccountKey=secret-of-the-store", "Its AccountKey must be base64."),
    ],
)
def test_a_connection_string_leads_nowhere_in_the_clear_and_can_sign(text: str, sentence: str) -> None:
    whole = f"AccountName=dev;AccountKey=c2VjcmV0LW9mLXRoZS1zdG9yZQ==;{text}"
    found = faults(DEVELOPMENT | {"SSO_TABLES_CONNECTION_STRING": whole})["SSO_TABLES_CONNECTION_STRING"]
    assert found.startswith(sentence)
    assert "c2VjcmV0" not in found


@pytest.mark.parametrize("address", ["http://localhost:7071", "http://127.0.0.1:7071"])
def test_plain_http_is_for_this_machine(address: str) -> None:
    assert settings(AZURE | {"SSO_PUBLIC_URL": address}).public_url == address


def test_a_key_vault_reference_that_was_not_resolved_is_no_secret() -> None:
    reference = "@Microsoft.KeyVault(SecretUri=https://vault.example/secrets/pseudonym-key)"
    sentence = faults(AZURE | {"SSO_PSEUDONYM_KEY": reference})["SSO_PSEUDONYM_KEY"]
    assert sentence.startswith("Its Key Vault reference was not resolved: may the app's identity read")


def test_the_key_of_what_browsers_keep_may_be_left_out_and_replaced() -> None:
    """A file from which it is set may end with a line break, which is none of it."""
    current, before = "remember-key-of-today-remember-key", "remember-key-of-last-year-remember-key"
    both = AZURE | {"SSO_REMEMBER_KEY": f"{current}\n", "SSO_REMEMBER_KEY_BEFORE": before}
    assert settings(AZURE).remember_keys == ()
    assert settings(AZURE | {"SSO_REMEMBER_KEY_BEFORE": before}).remember_keys == ()
    assert settings(both).remember_keys == (current.encode(), before.encode())
    assert before not in repr(settings(both))
    short = faults(AZURE | {"SSO_REMEMBER_KEY": "short", "SSO_REMEMBER_KEY_BEFORE": "@Microsoft.KeyVault(SecretUri=x)"})
    assert set(short) == {"SSO_REMEMBER_KEY", "SSO_REMEMBER_KEY_BEFORE"}


def test_return_urls_are_a_list() -> None:
    read = settings(AZURE | {"SSO_RETURN_URLS": " https://panel.example/sso/, ,http://localhost:7071/ "})
    assert read.return_urls == ReturnUrls.parse(("https://panel.example/sso/", "http://localhost:7071/"))


@pytest.mark.parametrize(
    "value", ["panel.example", "https://panel.example/,http://panel.example/", "https://x@panel.example/"]
)
def test_a_return_url_that_is_none_is_named(value: str) -> None:
    assert set(faults(AZURE | {"SSO_RETURN_URLS": value})) == {"SSO_RETURN_URLS"}


def test_a_ca_file_must_be_there(tmp_path: Path) -> None:
    ca_file = tmp_path / "ca.pem"
    assert faults(DEVELOPMENT | {"SSO_ENTRA_CA_FILE": str(ca_file)})["SSO_ENTRA_CA_FILE"].startswith(
        "There is no such file."
    )
    ca_file.touch()
    assert settings(DEVELOPMENT | {"SSO_ENTRA_CA_FILE": str(ca_file)}).entra_ca_file == str(ca_file)


def test_what_is_kept_ends_after_days_if_an_operator_says_so() -> None:
    assert settings(AZURE).limits == FOR_EVER
    kept = settings(AZURE | {"SSO_TRAIL_DAYS": "365", "SSO_UNUSED_LINK_DAYS": "90"}).limits
    assert kept == Limits(trail=timedelta(days=365), unused_links=timedelta(days=90))
    for name in ("SSO_TRAIL_DAYS", "SSO_UNUSED_LINK_DAYS"):
        for value in ("29", "-1", "a year", "36501"):
            assert set(faults(AZURE | {name: value})) == {name}


LOGO = "data:image/png;base64,iVBORw0KGgo="


def test_pages_look_like_the_vendors() -> None:
    vendor = {"SSO_VENDOR_NAME": " Vendor ", "SSO_VENDOR_LOGO": LOGO, "SSO_VENDOR_COLOUR": "#6B3FA0"}
    branding = settings(AZURE | vendor).branding
    assert branding == Branding(name=VendorName("Vendor"), logo=Logo(LOGO), colour=Colour("#6b3fa0"))
    assert settings(AZURE).branding == Branding(name=None, logo=None, colour=Colour("#0b5cad"))


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("SSO_VENDOR_NAME", "x" * 61, "A vendor's name is 1 to 60 characters on one line."),
        ("SSO_VENDOR_LOGO", "https://vendor.example/logo.png", "A logo is a PNG, JPEG, WebP or SVG image"),
        ("SSO_VENDOR_COLOUR", "blue", "A colour is # and six hexadecimal digits, such as #0b5cad."),
    ],
)
def test_what_pages_cannot_show_is_named(name: str, value: str, sentence: str) -> None:
    found = faults(AZURE | {"SSO_VENDOR_NAME": "Vendor", name: value})
    assert found.keys() == {name}
    assert found[name].startswith(sentence)


TANGLES = {
    "a logo without a name": (AZURE | {"SSO_VENDOR_LOGO": LOGO}, "SSO_VENDOR_NAME"),
    "no store": ({name: value for name, value in AZURE.items() if name != "SSO_TABLES_URL"}, "SSO_TABLES_URL"),
    "two stores": (AZURE | {"SSO_TABLES_CONNECTION_STRING": SECRETS["SSO_TABLES_CONNECTION_STRING"]}, "SSO_TABLES_URL"),
    "no signing key": (
        {name: value for name, value in AZURE.items() if name != "SSO_SIGNING_KEY_URL"},
        "SSO_SIGNING_KEY_URL",
    ),
    "two signing keys": (AZURE | {"SSO_SIGNING_KEY_FOLDER": ".local/keys"}, "SSO_SIGNING_KEY_URL"),
    "a wrapping key without one that certifies": (
        DEVELOPMENT | {"SSO_WRAPPING_KEY_URL": "https://vendor.vault.azure.net/keys/wrapping"},
        "SSO_WRAPPING_KEY_URL",
    ),
    "a store without identity": (
        {name: value for name, value in AZURE.items() if name != "SSO_IDENTITY_CLIENT_ID"},
        "SSO_IDENTITY_CLIENT_ID",
    ),
    "neither identity nor secret": (
        {name: value for name, value in DEVELOPMENT.items() if name != "SSO_ENTRA_CLIENT_SECRET"},
        "SSO_IDENTITY_CLIENT_ID",
    ),
}


@pytest.mark.parametrize(("environment", "named"), TANGLES.values(), ids=TANGLES)
def test_settings_that_do_not_fit_together_are_named(environment: dict[str, str], named: str) -> None:
    (sentence,) = faults(environment).values()
    assert named in sentence


def test_other_variables_are_none_of_ours() -> None:
    assert settings(AZURE | {"PATH": "/bin", "SSO_UNHEARD_OF": "x"}) == settings(AZURE)


def test_no_rendering_shows_a_secret() -> None:
    read = settings(DEVELOPMENT)
    assert "secret-of" not in f"{read} {read!r}"


def test_no_fault_shows_a_secret() -> None:
    bad = DEVELOPMENT | {"SSO_PSEUDONYM_KEY": "secret-of-few-words", "SSO_TABLES_URL": "http://secret-of-the-store"}
    read = read_settings(bad)
    assert isinstance(read, Misconfiguration)
    assert {fault.field for fault in read.faults} == {"SSO_PSEUDONYM_KEY", "SSO_TABLES_URL"}
    assert "secret-of" not in repr(read)


def test_the_process_is_asked_where_no_environment_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields.values():
        monkeypatch.delenv(str(name.alias), raising=False)
    for name, value in AZURE.items():
        monkeypatch.setenv(name, value)
    assert read_settings() == settings(AZURE)


def test_a_fault_reads_as_a_sentence() -> None:
    read = read_settings(AZURE | {"SSO_PUBLIC_URL": "sso.example"})
    assert read == Misconfiguration(
        (
            FieldFault(
                "SSO_PUBLIC_URL",
                "It must be an https address such as https://sso.example, without query. "
                "Where the world reaches this service. Issuer, redirect URIs and links are built from it.",
            ),
        )
    )


@pytest.mark.parametrize(
    ("value", "expected"), [("true", True), (" True ", True), ("1", True), ("y", True), ("false", False), ("on", False)]
)
def test_telemetry_is_on_when_the_worker_takes_it_for_on(
    value: str, monkeypatch: pytest.MonkeyPatch, *, expected: bool
) -> None:
    monkeypatch.setenv(PYTHON_APPLICATIONINSIGHTS_ENABLE_TELEMETRY, value)
    assert settings(AZURE | {PYTHON_APPLICATIONINSIGHTS_ENABLE_TELEMETRY: value}).telemetry is expected
    assert is_envvar_true(PYTHON_APPLICATIONINSIGHTS_ENABLE_TELEMETRY) is expected


def test_telemetry_is_off_unless_it_is_switched_on() -> None:
    assert settings(AZURE).telemetry is False
