"""What the product needs from outside: `shared.wiring` and the tests make it, and `shared.assembly` joins it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from shared.branding import Branding
from shared.connection.return_urls import ReturnUrls
from shared.kernel.names import TenantId
from shared.kernel.seals import Seal
from shared.ports.clock import Clock
from shared.ports.table import RecentReader, Table
from shared.ports.telemetry import Telemetry
from shared.privacy.limits import FOR_EVER, Limits

if TYPE_CHECKING:
    from shared.ports.access_tokens import AccessTokens
    from shared.ports.consent import Consent
    from shared.ports.notices import Notices
    from shared.ports.organizations import Organizations
    from shared.ports.sign_in import EntraSignIn
    from shared.ports.signing_keys import SigningKeys
    from shared.ports.tokens import Tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Everything that the product needs from outside, and the few values that an operator sets."""

    public_url: str
    """The public URL of this service. Issuer, redirect URIs and links are built from it."""
    cookie_prefix: str
    """The prefix of cookie names."""
    branding: Branding
    """The vendor on the pages that people see."""
    return_urls: ReturnUrls
    """The addresses below which a browser may return after an integration."""
    limits: Limits = FOR_EVER
    """How long events and unused links are kept."""
    home_tenant: TenantId | None
    """The tenant of the app registration, where the app's own credential is probed; None if it is not set."""

    accounts: Table
    """One partition per account, with everything that belongs to it."""
    domains: Table
    """The account that holds each domain claim."""
    applications: Table
    """The applications of the vendor."""
    flows: Table
    """Everything that can be used once, such as tickets, states and codes, and sessions."""
    duties: Table
    """Work that is due at a time."""
    recent_accounts: RecentReader
    """Reads of `accounts` that may be some seconds old."""
    recent_domains: RecentReader
    """Reads of `domains` that may be some seconds old."""
    recent_applications: RecentReader
    """Reads of `applications` that may be some seconds old."""

    authority: Callable[[TenantId], str]
    """Returns a tenant's authority, for an application that uses MSAL itself."""
    sign_in: "EntraSignIn"
    """Signs people in at Microsoft Entra ID."""
    consent: "Consent"
    """The page where organisations consent at Microsoft Entra ID."""
    organizations: "Organizations"
    """Reads organisations from Microsoft Graph."""
    access_tokens: "AccessTokens"
    """Verifies the control panel's bearer tokens."""
    signing_keys: "SigningKeys"
    """The keys that sign our tokens; the product itself only probes them."""
    tokens: "Tokens"
    """Signs our tokens, and verifies ours and the assertions of clients."""
    seal: Seal
    """Seals what browsers keep."""
    notices: "Notices"
    """Sends notices to applications, server to server."""
    telemetry: Telemetry
    """Reports events to operators."""
    clock: Clock
    """The time."""
    close: Callable[[], Awaitable[None]]
    """Closes the connections behind these ports."""
