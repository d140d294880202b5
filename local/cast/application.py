"""An application that signs people in by OpenID Connect: its authorization requests, and what it keeps for each."""

import base64
import hashlib
import secrets
from dataclasses import dataclass, field
from urllib.parse import urlencode


def challenge_of(verifier: str) -> str:
    """The `code_challenge` of a verifier: https://www.rfc-editor.org/rfc/rfc7636#section-4.2."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")


@dataclass(frozen=True)
class AuthorizationRequest:
    """One authorization request of a client. `changes` replace parameters, or by None leave them out."""

    client_id: str
    redirect_uri: str
    login_hint: str
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48))
    state: str = field(default_factory=lambda: secrets.token_urlsafe(16))
    nonce: str = field(default_factory=lambda: secrets.token_urlsafe(16))

    def parameters(self, **changes: str | None) -> dict[str, str]:
        """The parameters of the request."""
        query: dict[str, str | None] = {
            "client_id": self.client_id,
            "redirect_uri": self.redirect_uri,
            "response_type": "code",
            "scope": "openid email profile",
            "state": self.state,
            "nonce": self.nonce,
            "code_challenge": challenge_of(self.verifier),
            "code_challenge_method": "S256",
            "login_hint": self.login_hint,
        }
        return _present(query | changes)

    def address(self, service_url: str, **changes: str | None) -> str:
        """Where the application sends the browser."""
        return f"{service_url}/oauth2/authorize?{urlencode(self.parameters(**changes))}"

    def redemption(self, code: str, /, **changes: str | None) -> dict[str, str]:
        """A public client's form for the token endpoint."""
        form: dict[str, str | None] = {
            "grant_type": "authorization_code",
            "client_id": self.client_id,
            "redirect_uri": self.redirect_uri,
            "code": code,
            "code_verifier": self.verifier,
        }
        return _present(form | changes)


def _present(parameters: dict[str, str | None]) -> dict[str, str]:
    return {name: value for name, value in parameters.items() if value is not None}
