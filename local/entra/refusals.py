"""How Entra says no: one table from AADSTS number to OAuth error, status and sentence.

The exception carries one such answer. It decides nothing: the code that raises it does, and `pages`, `answers` or
`token_endpoint` choose between a page, a redirect and JSON. Source:
https://learn.microsoft.com/en-us/entra/identity-platform/reference-error-codes
"""

import uuid
from dataclasses import dataclass, field
from http import HTTPStatus

from local.entra.clock import utc_now


@dataclass(frozen=True)
class _Entry:
    error: str
    sentence: str
    status: HTTPStatus = HTTPStatus.BAD_REQUEST


_CATALOGUE = {
    50011: _Entry(
        "invalid_request",
        "The redirect URI '{redirect_uri}' specified in the request does not match the redirect URIs configured for "
        "the application '{client_id}'. Make sure the redirect URI sent in the request matches one added to your "
        "application.",
    ),
    50020: _Entry(
        "invalid_request",
        "User account '{user}' from identity provider '{provider}' does not exist in tenant '{tenant}' and cannot "
        "access the application in that tenant. The account needs to be added as an external user in the tenant "
        "first. Sign out and sign in again with a different Microsoft Entra user account.",
    ),
    50034: _Entry("invalid_grant", "The user account {user} does not exist in the directory."),
    50057: _Entry("invalid_grant", "The user account is disabled."),
    50058: _Entry(
        "login_required",
        "A silent sign-in request was sent but no user is signed in.",
    ),
    50059: _Entry(
        "invalid_request",
        "No tenant-identifying information found in either the request or implied by any provided credentials.",
    ),
    50126: _Entry("invalid_grant", "Error validating credentials due to invalid username or password."),
    54005: _Entry(
        "invalid_grant",
        "OAuth2 Authorization code was already redeemed, please retry with a new valid code or use an existing "
        "refresh token.",
    ),
    65001: _Entry(
        "consent_required",
        "The user or administrator has not consented to use the application with ID '{client_id}' named '{name}'. "
        "Send an interactive authorization request for this user and resource.",
    ),
    65004: _Entry("access_denied", "User declined to consent to access the app."),
    70003: _Entry("unsupported_grant_type", "The app requested an unsupported grant type '{grant_type}'."),
    70008: _Entry(
        "invalid_grant",
        "The provided authorization code or refresh token has expired due to inactivity. Send a new interactive "
        "authorization request for this user and resource.",
    ),
    70011: _Entry("invalid_scope", "The provided request must include a valid 'scope' input parameter. {reason}"),
    90002: _Entry(
        "invalid_tenant",
        "Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID and are signing into the "
        "correct cloud. Check with your subscription administrator, this may happen if there are no active "
        "subscriptions for the tenant.",
    ),
    90023: _Entry("invalid_request", "The request is not valid: {reason}"),
    90033: _Entry(
        "temporarily_unavailable",
        "A transient error has occurred. Please try again.",
        HTTPStatus.SERVICE_UNAVAILABLE,
    ),
    90094: _Entry(
        "access_denied",
        "An administrator of {tenant} has set a policy that prevents you from granting {name} the permissions it is "
        "requesting. Contact an administrator of {tenant}, who can grant permissions to this app on your behalf.",
    ),
    165000: _Entry(
        "invalid_request",
        "Invalid Request: The request tokens do not match the user context. Do not copy the user context values "
        "(cookies; form fields; headers) between different requests or user sessions.",
    ),
    500011: _Entry(
        "invalid_resource",
        "The resource principal named {resource} was not found in the tenant named {tenant}.",
    ),
    500112: _Entry(
        "invalid_grant",
        "The reply address '{redirect_uri}' does not match the reply address '{expected}' provided when requesting "
        "Authorization code.",
    ),
    501481: _Entry(
        "invalid_grant",
        "The Code_Verifier does not match the code_challenge supplied in the authorization request.",
    ),
    650053: _Entry(
        "invalid_client",
        "The application '{name}' asked for scope '{scope}' that doesn't exist on the resource "
        "'00000003-0000-0000-c000-000000000000'.",
    ),
    700005: _Entry(
        "invalid_grant",
        "Provided Authorization Code is intended to use against other tenant, thus rejected.",
    ),
    700016: _Entry(
        "unauthorized_client",
        "Application with identifier '{client_id}' was not found in the directory '{tenant}'. This can happen if the "
        "application has not been installed by the administrator of the tenant or consented to by any user in the "
        "tenant. You may have sent your authentication request to the wrong tenant.",
    ),
    700027: _Entry(
        "invalid_client",
        "The certificate with identifier used to sign the client assertion is not registered on application. {reason}",
        HTTPStatus.UNAUTHORIZED,
    ),
    700054: _Entry("unsupported_response_type", "response_type '{response_type}' is not enabled for the application."),
    700211: _Entry(
        "invalid_client",
        "No matching federated identity record found for presented assertion issuer '{value}'.",
        HTTPStatus.UNAUTHORIZED,
    ),
    700212: _Entry(
        "invalid_client",
        "No matching federated identity record found for presented assertion audience '{value}'.",
        HTTPStatus.UNAUTHORIZED,
    ),
    700213: _Entry(
        "invalid_client",
        "No matching federated identity record found for presented assertion subject '{value}'.",
        HTTPStatus.UNAUTHORIZED,
    ),
    900144: _Entry("invalid_request", "The request body must contain the following parameter: '{parameter}'."),
    1002012: _Entry(
        "invalid_scope",
        "The provided value for scope {scope} is not valid. Client credential flows must have a scope value with "
        "/.default suffixed to the resource identifier (application ID URI).",
    ),
    7000215: _Entry(
        "invalid_client",
        "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not "
        "the client secret ID, for a secret added to app '{client_id}'.",
        HTTPStatus.UNAUTHORIZED,
    ),
    7000218: _Entry(
        "invalid_client",
        "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
        HTTPStatus.UNAUTHORIZED,
    ),
    9002313: _Entry("invalid_request", "Invalid request. Request is malformed or invalid. {reason}"),
    9002325: _Entry("invalid_request", "Proof Key for Code Exchange is required: {reason}"),
}


@dataclass
class Refusal(Exception):  # noqa: N818 - a refusal is a response, not a bug
    """One answer of Entra that says no.

    `aadsts` is the number after "AADSTS", `error` OAuth's word for it, `sentence` what a person reads.
    """

    aadsts: int
    error: str
    sentence: str
    status: HTTPStatus = HTTPStatus.BAD_REQUEST
    trace_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    correlation_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    timestamp: str = field(default_factory=lambda: f"{utc_now():%Y-%m-%d %H:%M:%SZ}")

    @property
    def description(self) -> str:
        """`error_description`, with the trace lines and the line breaks Entra puts in."""
        return (
            f"AADSTS{self.aadsts}: {self.sentence}\r\nTrace ID: {self.trace_id}\r\n"
            f"Correlation ID: {self.correlation_id}\r\nTimestamp: {self.timestamp}"
        )

    def as_json(self, correlation_id: str | None = None) -> dict[str, object]:
        """The body of the token endpoint's and the discovery endpoint's refusals."""
        if correlation_id is not None:
            self.correlation_id = correlation_id
        return {
            "error": self.error,
            "error_description": self.description,
            "error_codes": [self.aadsts],
            "timestamp": self.timestamp,
            "trace_id": self.trace_id,
            "correlation_id": self.correlation_id,
            "error_uri": f"https://login.microsoftonline.com/error?code={self.aadsts}",
        }


def aadsts(number: int, **details: str) -> Refusal:
    """The refusal with that number, its sentence filled in with `details`."""
    entry = _CATALOGUE[number]
    return Refusal(number, entry.error, entry.sentence.format(**details), entry.status)
