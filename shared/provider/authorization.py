"""A visit: an application sends a person, who goes to Microsoft and comes back.

`Visit` is what is asked and for whom, `SignInState` keeps it while they are at Microsoft, and an `Outcome` is where the
browser goes, at either end. Values only: `setting_out`, `coming_back` and `responses` make them, the edge shows them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from shared.flows.flows import Binding, Flow
from shared.kernel.names import AccountId, EmailAddress, TenantId
from shared.kernel.refusals import Refusal
from shared.provider.authorization_request import AuthorizationRequest


@dataclass(frozen=True, slots=True)
class Visit:
    """What is asked, and as much as is known of the person for whom."""

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
    def visit(self) -> Visit:
        """Who comes back; the address was parsed before it was kept."""
        return Visit(self.request, EmailAddress(self.email), self.account_id)


@dataclass(frozen=True, slots=True)
class ToMicrosoft:
    """The browser goes to sign in, bound to the flow that takes the answer."""

    url: str
    binding: Binding


@dataclass(frozen=True, slots=True)
class ToApplication:
    """The browser goes to the application: with a code, with an OAuth error, or to its password page."""

    url: str


@dataclass(frozen=True, slots=True)
class AskForEmail:
    """The person is asked for their address; `parameters` ask for the same again with it."""

    application_name: str
    parameters: Mapping[str, str]
    fault: str | None = None


@dataclass(frozen=True, slots=True)
class Explained:
    """The sign-in came to nothing: why, and where the person may go from here, or once what is out answers again."""

    refusal: Refusal
    again_url: str | None
    application_url: str


type Outcome = ToMicrosoft | ToApplication | AskForEmail | Explained
