"""Which version of a thing a change starts from (RFC 9110, sections 8.8 and 13.1)."""

import hashlib
from dataclasses import dataclass

from shared.kernel.encoding import base64url
from shared.kernel.refusals import Stale


def version_of(document: str) -> str:
    """The strong entity tag of a document: equal documents, and only they, have equal versions."""
    return base64url(hashlib.sha256(document.encode()).digest()[:16])


@dataclass(frozen=True, slots=True)
class Expected:
    """The versions that a caller accepts to change; `None` stands for `If-Match: *`, whatever is there."""

    versions: frozenset[str] | None

    def must_allow(self, version: str) -> None:
        """Let the change go on.

        Raises:
            Stale: what stands is not what the caller has seen.
        """
        if self.versions is not None and version not in self.versions:
            raise Stale(
                "Somebody has changed it since you read it. Read it again, check their change, and repeat yours."
            )
