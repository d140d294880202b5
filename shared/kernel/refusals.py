"""Everything that the product may refuse, drawn once.

    Refusal
     ├ Malformed               the request cannot be read
     │  └ FlowSpent            a ticket or state that is unknown, used, expired or another browser's
     ├ NotAuthenticated        no proof of who asks, or a bad one
     │  └ TokenMissing         no proof at all
     ├ Forbidden               known, but not allowed to
     │  ├ ConsentRefused       Microsoft or the person said no on the consent page
     │  └ ProofFailed          the consent is not proven to be this tenant's
     ├ NotFound                there is no such thing
     ├ Conflict                it contradicts what stands
     │  └ AlreadyExists        something of that key is there already
     ├ Stale                   it has changed since the caller read it
     ├ BodyLost                the body did not arrive
     ├ TooLarge                more than we take
     ├ UnsupportedMediaType    a content type that we do not read
     ├ Invalid                 readable, but wrong: each field is named
     ├ PreconditionRequired    a change needs the version that it starts from
     ├ Throttled               too often
     └ Unavailable             a part that we need does not answer

A refusal says *why* in a sentence that is safe to show and tells who must do what. Which HTTP status it becomes is
decided in `functions.http.refusals`, nowhere else. Values that cannot be parsed are `ValueError`s, as Python has it:
whoever reads a whole document collects them into one `Invalid`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class FieldFault:
    """One thing that is wrong with one field: `field` as the caller wrote it, `detail` a sentence."""

    field: str
    detail: str


class Refusal(Exception):  # noqa: N818 - a refusal is an answer, not an error of the program
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
    """The request cannot be read."""

    slug = "malformed"
    title = "Malformed request"


class FlowSpent(Malformed):
    """A ticket or state that is unknown, used, expired, or was given to another browser."""

    slug = "flow-spent"
    title = "This link can no longer be used"


class NotAuthenticated(Refusal):
    """No proof of who asks, or one that does not hold."""

    slug = "not-authenticated"
    title = "Authentication required"


class TokenMissing(NotAuthenticated):
    """Nothing was sent that could prove who asks. What is wrong with a token is not to be told then (RFC 6750, 3.1)."""


class Forbidden(Refusal):
    """The caller is known, but this is not theirs to do."""

    slug = "forbidden"
    title = "Not allowed"


class ConsentRefused(Forbidden):
    """Microsoft, or the person at the consent page, said no."""

    slug = "consent-refused"
    title = "Consent was not given"


class ProofFailed(Forbidden):
    """The consent could not be proven to come from an administrator of that tenant."""

    slug = "proof-failed"
    title = "The consent could not be verified"


class NotFound(Refusal):
    """There is no such thing."""

    slug = "not-found"
    title = "Not found"


class Conflict(Refusal):
    """The request contradicts what stands."""

    slug = "conflict"
    title = "Conflict with the current state"


class AlreadyExists(Conflict):
    """Something of that key is there already."""

    slug = "already-exists"
    title = "Already exists"


class Stale(Refusal):
    """It has changed since the caller read it."""

    slug = "stale"
    title = "Modified since you read it"


class BodyLost(Refusal):
    """The body did not arrive, because its length was not sent with it."""

    slug = "body-lost"
    title = "The body did not arrive"


class TooLarge(Refusal):
    """More than we take."""

    slug = "too-large"
    title = "Request too large"


class UnsupportedMediaType(Refusal):
    """A content type that we do not read."""

    slug = "unsupported-media-type"
    title = "Unsupported content type"


class Invalid(Refusal):
    """Readable, but wrong.

    Args:
        detail: what is wrong as a whole.
        faults: what is wrong with each field.
    """

    slug = "invalid"
    title = "Invalid request"

    def __init__(self, detail: str, faults: Sequence[FieldFault] = ()) -> None:
        super().__init__(detail)
        self.faults = tuple(faults)


class PreconditionRequired(Refusal):
    """A change needs the version that it starts from (RFC 6585, section 3)."""

    slug = "precondition-required"
    title = "If-Match required"


class Throttled(Refusal):
    """Too often.

    Args:
        detail: who asked too often, and what to do.
        retry_after: seconds to wait.
    """

    slug = "throttled"
    title = "Too many requests"

    def __init__(self, detail: str, retry_after: int) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class Unavailable(Refusal):
    """A part that we need does not answer.

    Args:
        detail: which part, and what to do.
        retry_after: seconds to wait.
    """

    slug = "unavailable"
    title = "Temporarily unavailable"

    def __init__(self, detail: str, retry_after: int = 5) -> None:
        super().__init__(detail)
        self.retry_after = retry_after
