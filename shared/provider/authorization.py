"""One authorization: what the application asks, and for whom, as far as that is known.

`Authorization` exists while a request is answered, `SignInState` keeps it while the person is at Microsoft. Values
only: the steps in `authorize` and `callback` make them.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from shared.flows.flows import Flow
from shared.kernel.names import AccountId, EmailAddress, TenantId
from shared.provider.authorization_request import AuthorizationRequest


@dataclass(frozen=True, slots=True)
class Authorization:
    """What is asked, and for whom. The address is only typed, so far: it proves nothing."""

    request: AuthorizationRequest
    email: EmailAddress | None = None
    account_id: AccountId | None = None


class SignInState(Flow):
    """What our `state` stands for while a person is at Microsoft."""

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
        """What was asked, and for whom; the address was parsed before it was kept."""
        return Authorization(self.request, EmailAddress(self.email), self.account_id)
