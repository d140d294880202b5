"""Everything that the product may refuse, drawn once.

    Refusal
     ├ Malformed               the request cannot be parsed
     │  └ FlowSpent            a ticket or state that is unknown, used, expired or another browser's
     ├ NotAuthenticated        missing or invalid credentials
     │  └ TokenMissing         no credentials at all
     ├ Forbidden               authenticated, but not allowed
     │  ├ ConsentRefused       Microsoft or the person refused on the consent page
     │  └ ProofFailed          the consent is not proven to be this tenant's
     ├ NotFound                no such thing exists
     ├ Conflict                it conflicts with the current state
     │  └ AlreadyExists        the key is taken
     ├ Stale                   modified since the caller read it
     ├ BodyLost                the body did not arrive
     ├ TooLarge                above our limits
     ├ UnsupportedMediaType    a content type that we do not read
     ├ Invalid                 readable, but wrong: each field is named
     ├ PreconditionRequired    a change must name the version that it starts from
     ├ Throttled               too many requests
     └ Unavailable             a part that we need does not respond

A refusal says *why* in a sentence that is safe to show and names who must do what. `functions.http.refusals`, and
nothing else, decides its HTTP status. Values that cannot be parsed are `ValueError`s, as usual in Python: the reader of
a whole document collects them into one `Invalid`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class FieldFault:
    """One fault of one field: `field` as the caller wrote it, `detail` a sentence."""

    field: str
    detail: str


class Refusal(Exception):  # noqa: N818 - a refusal is a response, not a bug
    """The root of the tree.

    Args:
        detail: one or two sentences that are safe to show and say what to do.
    """

    slug: ClassVar[str] = "refused"
    title: ClassVar[str] = "The request was refused"

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail

    @property
    def reason(self) -> str:
        """The one word by which refusals are counted."""
        return self.slug


class Malformed(Refusal):
    """The request cannot be parsed."""

    slug = "malformed"
    title = "Malformed request"


class FlowSpent(Malformed):
    """A ticket or state that is unknown, used, expired, or was given to another browser."""

    slug = "flow-spent"
    title = "This link can no longer be used"


class NotAuthenticated(Refusal):
    """The caller's credentials are missing or invalid."""

    slug = "not-authenticated"
    title = "Authentication required"


class TokenMissing(NotAuthenticated):
    """The request has no credentials. The response must not name an error of a token then (RFC 6750, 3.1)."""


class Forbidden(Refusal):
    """The caller is authenticated, but not allowed to do this."""

    slug = "forbidden"
    title = "Not allowed"


class ConsentRefused(Forbidden):
    """Microsoft, or the person on the consent page, refused."""

    slug = "consent-refused"
    title = "Consent was not given"


class ProofFailed(Forbidden):
    """The consent could not be proven to come from an administrator of that tenant."""

    slug = "proof-failed"
    title = "The consent could not be verified"


class NotFound(Refusal):
    """The thing does not exist."""

    slug = "not-found"
    title = "Not found"


class Conflict(Refusal):
    """The request conflicts with the current state."""

    slug = "conflict"
    title = "Conflict with the current state"


class AlreadyExists(Conflict):
    """Something with this key exists already."""

    slug = "already-exists"
    title = "Already exists"


class Stale(Refusal):
    """It was modified since the caller read it."""

    slug = "stale"
    title = "Modified since you read it"


class BodyLost(Refusal):
    """The body did not arrive, because its length was not sent with it."""

    slug = "body-lost"
    title = "The body did not arrive"


class TooLarge(Refusal):
    """The request exceeds our limits."""

    slug = "too-large"
    title = "Request too large"


class UnsupportedMediaType(Refusal):
    """A content type that we do not read."""

    slug = "unsupported-media-type"
    title = "Unsupported content type"


class Invalid(Refusal):
    """The request is readable, but its values are wrong.

    Args:
        detail: the fault as a whole.
        faults: the fault of each field.
    """

    slug = "invalid"
    title = "Invalid request"

    def __init__(self, detail: str, faults: Sequence[FieldFault] = ()) -> None:
        super().__init__(detail)
        self.faults = tuple(faults)


class PreconditionRequired(Refusal):
    """A change must name the version that it starts from (RFC 6585, section 3)."""

    slug = "precondition-required"
    title = "If-Match required"


class Throttled(Refusal):
    """Too many requests.

    Args:
        detail: the caller that sent too many, and what to do.
        retry_after: seconds to wait.
    """

    slug = "throttled"
    title = "Too many requests"

    def __init__(self, detail: str, retry_after: int) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class Unavailable(Refusal):
    """A part that we need does not respond.

    Args:
        detail: the part, and what to do.
        retry_after: seconds to wait.
    """

    slug = "unavailable"
    title = "Temporarily unavailable"

    def __init__(self, detail: str, retry_after: int = 5) -> None:
        super().__init__(detail)
        self.retry_after = retry_after
