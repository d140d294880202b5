"""One authorization: the application's request, and the person, as far as they are known.

`Authorization` lives for one request, `SignInState` keeps it while the person is at Microsoft. Values only: the steps
in `authorize` and `callback` make them.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from shared.flows.flows import Flow, FlowEnded
from shared.kernel.names import AccountId, EmailAddress, TenantId
from shared.provider.authorization_request import AuthorizationRequest
from shared.provider.expected_person import ExpectedPerson


@dataclass(frozen=True, slots=True)
class Authorization:
    """The request, and the person's address. The address was typed, or remembered: it proves nothing."""

    request: AuthorizationRequest
    email: EmailAddress | None = None
    account_id: AccountId | None = None
    demanded: bool = False
    """Whether the application's `id_token_hint` demands this person, so that nobody may go on as another."""


_SOON = timedelta(seconds=30)
"""How soon a browser may bring Microsoft's answer a second time: a double fetch, a reload, the back button."""


class SignInState(Flow):
    """The data behind our `state` while a person is at Microsoft, and afterwards until it expires.

    The first answer is taken. The same browser may bring it a second time within 30 seconds: the request then begins
    again, since Microsoft still has the session. That happens once, also if the second sign-in (`repeats`) is answered
    twice as well.
    """

    kind: ClassVar[str] = "sign-in-state"
    lifetime: ClassVar[timedelta] = timedelta(minutes=15)
    is_copied: ClassVar[bool] = True
    start: ClassVar[str] = "Go back to the application and sign in again."

    request: AuthorizationRequest
    email: str
    account_id: AccountId
    tenant_id: TenantId
    code_verifier: str
    nonce: str
    expected: ExpectedPerson | None = None
    """Who is expected, if nobody has typed an address; None in rows from before this was stored."""
    repeats: bool = False
    answered_at: datetime | None = None
    answers: int = 0

    def answered(self, now: datetime) -> "SignInState":
        """The state after one more answer of Microsoft's: `answers` is 1 for the one that is taken, and 2 for a repeat.

        Raises:
            FlowEnded: there have been enough.
        """
        if self.answered_at is None:
            return self.model_copy(update={"answered_at": now, "answers": 1})
        if self.answers > 1 or self.repeats or now - self.answered_at >= _SOON:
            raise FlowEnded(self, f"This sign-in is over. {self.start}")
        return self.model_copy(update={"answers": 2})

    @property
    def begun_at(self) -> datetime:
        """When the person was sent to Microsoft."""
        return self.expires_at - self.lifetime

    @property
    def authorization(self) -> Authorization:
        """The request and the person's address, which was parsed before it was stored."""
        demanded = self.expected is not None and self.expected.demanded
        return Authorization(self.request, EmailAddress(self.email), self.account_id, demanded)
