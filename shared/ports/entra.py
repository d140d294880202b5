"""Responses of Microsoft Entra ID that several ports share: through a browser, or as a refusal."""

from dataclasses import dataclass

from shared.kernel.refusals import Conflict


@dataclass(frozen=True, slots=True)
class Answer:
    """The query with which a browser returned from Microsoft. Nothing in it is verified."""

    state: str | None = None
    error: str | None = None
    error_description: str = ""
    admin_consent: str | None = None
    tenant: str | None = None
    code: str | None = None


class ProviderRefused(Conflict):
    """Entra refused, for a reason at the customer: the request conflicts with the state of the tenant.

    Args:
        error: the OAuth error code, on which decisions are based.
        code: the AADSTS number if there was one, for the explanation only.
        detail: a sentence on who must do what.
    """

    slug = "provider-refused"
    title = "Microsoft Entra ID refused"

    def __init__(self, error: str, code: int | None, detail: str) -> None:
        super().__init__(detail)
        self.error = error
        self.code = code

    @property
    def reason(self) -> str:
        """Entra's AADSTS number, or OAuth's error code without one."""
        return self.error if self.code is None else f"AADSTS{self.code}"


class ConsentMissing(ProviderRefused):
    """The tenant has not consented to this service, has revoked its consent, or no longer exists."""

    slug = "consent-missing"
    title = "The organisation has not consented"


class GraphForbidden(ConsentMissing):
    """Entra issues a token, and Graph refuses it: the consent may be gone, or Microsoft contradicts itself."""
