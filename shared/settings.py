"""Every setting, typed, and the only reader of the environment.

A missing or invalid setting is named, with what to do about it. The app starts all the same and reports it on
`/health`: an exception at import would show in Azure as "0 functions found" and nothing else.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    SecretStr,
    ValidationError,
    model_validator,
)

from shared.branding import Branding, Colour, Logo, VendorName
from shared.connection.return_urls import ReturnUrls
from shared.kernel.addresses import is_base
from shared.kernel.faults import faults_of
from shared.kernel.names import PASTED, TenantId, unpasted
from shared.kernel.refusals import FieldFault
from shared.privacy.limits import Limits

_BASE64 = re.compile(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")


def _address(text: str) -> str:
    """An https origin or address without a slash at its end; http only on this machine."""
    if not is_base(urlsplit(text)):
        raise ValueError("It must be an https address such as https://sso.example, without query.")
    return text.rstrip("/")


def _issuer(text: str) -> str:
    """An issuer is compared to the letter (OpenID Connect Core, section 3.1.3.7), a slash at its end included."""
    _address(text)
    return text


def _return_urls(text: object) -> ReturnUrls:
    return ReturnUrls.parse(tuple(filter(None, (part.strip(PASTED) for part in str(text).split(",")))))


def _connection_string(secret: SecretStr) -> SecretStr:
    parts = dict(part.partition("=")[::2] for part in secret.get_secret_value().split(";") if part)
    if (
        not parts.get("AccountName")
        or not parts.get("AccountKey")
        or not (parts.get("TableEndpoint") or parts.get("EndpointSuffix"))
    ):
        raise ValueError("It must name AccountName, AccountKey and TableEndpoint or EndpointSuffix.")
    scheme, host = parts.get("DefaultEndpointsProtocol", "https"), f"{parts['AccountName']}.table"
    address = parts.get("TableEndpoint") or f"{scheme}://{host}.{parts['EndpointSuffix']}"
    if not is_base(urlsplit(address)):
        raise ValueError("Its tables must be at an https address, or on this machine.")
    if not _BASE64.fullmatch(parts["AccountKey"]):
        raise ValueError("Its AccountKey must be base64.")
    return secret


def _resolved(secret: SecretStr) -> SecretStr:
    """The secret, unless it is a reference, which the app gets if the platform cannot resolve it.

    https://learn.microsoft.com/azure/app-service/app-service-key-vault-references
    """
    if secret.get_secret_value().startswith("@Microsoft.KeyVault("):
        raise ValueError("Its Key Vault reference was not resolved: may the app's identity read the vault's secrets?")
    return secret


def _true_as_the_worker_reads_it(text: object) -> bool:
    """The values that the worker reads as true; it reads every other value as false (`azure_functions_runtime`)."""
    return str(text).lower().strip() in {"1", "true", "t", "yes", "y"}


def _readable(path: str) -> str:
    if not Path(path).is_file():
        raise ValueError("There is no such file.")
    return path


Id = Annotated[str, BeforeValidator(unpasted), Field(min_length=1)]
Address = Annotated[str, BeforeValidator(unpasted), AfterValidator(_address)]
Issuer = Annotated[str, BeforeValidator(unpasted), AfterValidator(_issuer)]
ConnectionString = Annotated[SecretStr, AfterValidator(_connection_string)]
AllowedReturnUrls = Annotated[ReturnUrls, PlainValidator(_return_urls)]
ReferencedSecret = Annotated[SecretStr, AfterValidator(_resolved)]
RememberKey = Annotated[ReferencedSecret, BeforeValidator(unpasted)]
File = Annotated[str, AfterValidator(_readable)]
WorkersFlag = Annotated[bool, BeforeValidator(_true_as_the_worker_reads_it)]


class Settings(BaseModel):
    """The operator's settings: environment variables of the same names, in upper case with the prefix `SSO_`.

    The one that the Python worker also reads has the worker's name.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=lambda name: f"SSO_{name.upper()}")

    public_url: Address = Field(
        description="Where the world reaches this service. Issuer, redirect URIs and links are built from it."
    )
    tables_url: Address | None = Field(
        None,
        description="The table endpoint of the storage account, such as https://name.table.core.windows.net.",
    )
    tables_connection_string: ConnectionString | None = Field(
        None, description="Instead of SSO_TABLES_URL, for development: a connection string with a key."
    )
    identity_client_id: Id | None = Field(
        None, description="The client id of the user-assigned managed identity that the app runs as."
    )
    entra_client_id: Id = Field(description="The client id of the multi-tenant app registration.")
    entra_client_secret: SecretStr | None = Field(
        None,
        description="For development: a client secret, instead of the managed identity as federated credential.",
    )
    entra_home_tenant: TenantId | None = Field(
        None,
        description="The tenant of the app registration itself; `/health` then checks the app's credential there.",
    )
    entra_authority: Address = Field(
        "https://login.microsoftonline.com",
        description="Entra's authority host; another one in sovereign clouds.",
    )
    entra_browser_url: Address | None = Field(
        None, description="The same host as browsers reach it, where that differs."
    )
    entra_ca_file: File | None = Field(None, description="For development: a CA file to trust when talking to Entra.")
    entra_token_audience: str = Field(
        "api://AzureADTokenExchange",
        description="The audience of the federated credential; other in sovereign clouds.",
    )
    graph_url: Address = Field("https://graph.microsoft.com", description="Microsoft Graph's host.")
    control_panel_issuer: Issuer = Field(description="The issuer of the control panel's access tokens.")
    control_panel_audience: Id = Field(description="The audience of tokens that are meant for us.")
    return_urls: AllowedReturnUrls = Field(
        ReturnUrls(()),
        description="Addresses, separated by commas, below which a browser may return after an integration.",
    )
    signing_key_url: Address | None = Field(
        None, description="The Key Vault key that signs tokens, such as https://name.vault.azure.net/keys/signing."
    )
    wrapping_key_url: Address | None = Field(
        None,
        description="For many sign-ins: the Key Vault key that seals keys of a day, which the signing key certifies.",
    )
    signing_key_folder: str | None = Field(
        None, description="Instead of SSO_SIGNING_KEY_URL, for development: a folder that keeps a key, made if missing."
    )
    notices_to_private_addresses: bool = Field(
        default=False,
        description="For development: `true` lets notices of sign-out reach private and loopback addresses.",
    )
    cookie_prefix: Literal["__Host-", "__Secure-"] = Field(
        "__Host-",
        description="How the names of cookies begin: `__Secure-` gives up a defence, see SECURITY.md.",
    )
    pseudonym_key: ReferencedSecret = Field(
        min_length=32,
        description="At least 32 characters that key the hash which stands for an email in logs.",
    )
    remember_key: RememberKey | None = Field(
        None,
        min_length=32,
        description="At least 32 characters that seal the note by which a browser remembers who signed in with it; "
        "nobody is remembered if it is not set.",
    )
    remember_key_before: RememberKey | None = Field(
        None, min_length=32, description="The SSO_REMEMBER_KEY before it, whose notes are still read."
    )
    vendor_name: VendorName | None = Field(None, description="The vendor's name, as pages show it to people.")
    vendor_logo: Logo | None = Field(
        None,
        description="The vendor's logo, shown instead of its name: `data:image/png;base64,` and the image in base64.",
    )
    vendor_colour: Colour = Field(
        Colour("#0b5cad"),
        description="The colour of buttons and links; darkened or lightened where it is hard to read.",
    )
    trail_days: int | None = Field(
        None, ge=30, le=36_500, description="How many days events are kept in audit trails; for ever if it is not set."
    )
    unused_link_days: int | None = Field(
        None,
        ge=30,
        le=36_500,
        description="After how many days without a sign-in a link is removed; never if it is not set.",
    )
    telemetry: WorkersFlag = Field(
        default=False,
        alias="PYTHON_APPLICATIONINSIGHTS_ENABLE_TELEMETRY",
        description="`true` lets the Python worker send logs and counters to Application Insights by OpenTelemetry.",
    )

    @model_validator(mode="after")
    def _one_way_each(self) -> Self:
        if (self.tables_url is None) == (self.tables_connection_string is None):
            raise ValueError("Set SSO_TABLES_URL, or for development SSO_TABLES_CONNECTION_STRING, but not both.")
        if (self.signing_key_url is None) == (self.signing_key_folder is None):
            raise ValueError("Set SSO_SIGNING_KEY_URL, or for development SSO_SIGNING_KEY_FOLDER, but not both.")
        if self.wrapping_key_url is not None and self.signing_key_url is None:
            raise ValueError("Set SSO_WRAPPING_KEY_URL only beside SSO_SIGNING_KEY_URL, whose key certifies.")
        if self.identity_client_id is None and (self.tables_url is not None or self.entra_client_secret is None):
            raise ValueError("Set SSO_IDENTITY_CLIENT_ID, or for development both a connection string and a secret.")
        if self.vendor_logo is not None and self.vendor_name is None:
            raise ValueError("Set SSO_VENDOR_NAME beside SSO_VENDOR_LOGO: screen readers read it out instead.")
        return self

    @property
    def remember_keys(self) -> tuple[bytes, ...]:
        """The keys of what browsers keep: first the one that seals."""
        keys = (self.remember_key, self.remember_key_before) if self.remember_key else ()
        return tuple(key.get_secret_value().encode() for key in keys if key is not None)

    def authority(self, tenant_id: TenantId) -> str:
        """The authority of a tenant, for an application that uses MSAL itself."""
        return f"{self.entra_authority}/{tenant_id}"

    @property
    def limits(self) -> Limits:
        """How long events and unused links are kept."""
        trail, links = (timedelta(days=days) if days else None for days in (self.trail_days, self.unused_link_days))
        return Limits(trail=trail, unused_links=links)

    @property
    def branding(self) -> Branding:
        """The vendor's branding on pages."""
        return Branding(name=self.vendor_name, logo=self.vendor_logo, colour=self.vendor_colour)


@dataclass(frozen=True, slots=True)
class Misconfiguration:
    """The settings are invalid: each fault names one, and says what to do."""

    faults: tuple[FieldFault, ...]


def read_settings(environment: Mapping[str, str] | None = None) -> Settings | Misconfiguration:
    """The settings, or their faults.

    Args:
        environment: the process's own if None. Empty values count as missing.
    """
    source = os.environ if environment is None else environment  # noqa: TID251 - the one place that reads it
    known = {field.alias or name for name, field in Settings.model_fields.items()}
    given = {name: source[name] for name in known if source.get(name)}
    try:
        return Settings.model_validate(given)
    except ValidationError as error:
        return Misconfiguration(tuple(map(_explained, faults_of(error))))


def _explained(fault: FieldFault) -> FieldFault:
    """The fault with the setting's description, so that an operator knows what to set."""
    meant = {field.alias: field.description for field in Settings.model_fields.values()}.get(fault.field)
    return FieldFault(fault.field, f"{fault.detail} {meant}") if meant else fault
