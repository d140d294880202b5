"""What Microsoft Entra ID answers, whichever port asks: by way of a browser, or as a refusal."""

from dataclasses import dataclass

from shared.kernel.refusals import Conflict


@dataclass(frozen=True, slots=True)
class Answer:
    """What a browser brought back from Microsoft, as it stood in the query. Nothing of it is proven."""

    state: str | None = None
    error: str | None = None
    error_description: str = ""
    admin_consent: str | None = None
    tenant: str | None = None
    code: str | None = None


class ProviderRefused(Conflict):
    """Entra said no, for a reason that lies with the customer: what is asked for contradicts what stands there.

    Args:
        error: the OAuth error code, on which decisions are made.
        code: the AADSTS number if there was one, for the explanation only.
        detail: in words who must do what.
    """

    slug = "provider-refused"
    title = "Microsoft Entra ID refused"

    def __init__(self, error: str, code: int | None, detail: str) -> None:
        super().__init__(detail)
        self.error = error
        self.code = code

    @property
    def reason(self) -> str:
        """Entra's number, or OAuth's error where there is none."""
        return self.error if self.code is None else f"AADSTS{self.code}"


class ConsentMissing(ProviderRefused):
    """The tenant has not consented to this service, or no longer does, or is gone."""

    slug = "consent-missing"
    title = "The organisation has not consented"


class GraphForbidden(ConsentMissing):
    """Entra issues a token, and Graph refuses it: the consent may be gone, or Microsoft contradicts itself."""
