"""One authorization: the application's request, and the person, as far as they are known.

`Authorization` lives for one request, `SignInState` keeps it while the person is at Microsoft. Values only: the steps
in `authorize` and `callback` make them.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from shared.flows.flows import Flow
from shared.kernel.names import AccountId, EmailAddress, TenantId
from shared.provider.authorization_request import AuthorizationRequest


@dataclass(frozen=True, slots=True)
class Authorization:
    """The request, and the person's address. The address was only typed: it proves nothing."""

    request: AuthorizationRequest
    email: EmailAddress | None = None
    account_id: AccountId | None = None


class SignInState(Flow):
    """The data behind our `state` while a person is at Microsoft."""

    kind: ClassVar[str] = "sign-in-state"
    lifetime: ClassVar[timedelta] = timedelta(minutes=15)
    start: ClassVar[str] = "Go back to the application and sign in again."

    request: AuthorizationRequest
    email: str
    account_id: AccountId
    tenant_id: TenantId
    code_verifier: str
    nonce: str

    @property
    def begun_at(self) -> datetime:
        """When the person was sent to Microsoft."""
        return self.expires_at - self.lifetime

    @property
    def authorization(self) -> Authorization:
        """The request and the person's address, which was parsed before it was stored."""
        return Authorization(self.request, EmailAddress(self.email), self.account_id)
