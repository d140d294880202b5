"""Versions: the state that a change starts from (RFC 9110, sections 8.8 and 13.1)."""

import hashlib
from dataclasses import dataclass

from shared.kernel.encoding import base64url
from shared.kernel.refusals import Stale


def version_of(document: str) -> str:
    """The strong entity tag of a document: documents are equal exactly if their versions are."""
    return base64url(hashlib.sha256(document.encode()).digest()[:16])


@dataclass(frozen=True, slots=True)
class Expected:
    """The versions that a caller is willing to change; `None` means `If-Match: *`, any version."""

    versions: frozenset[str] | None

    def must_allow(self, version: str) -> None:
        """Check that the change may proceed.

        Raises:
            Stale: the current version is not one that the caller has seen.
        """
        if self.versions is not None and version not in self.versions:
            raise Stale(
                "Somebody has changed it since you read it. Read it again, check their change, and repeat yours."
            )
