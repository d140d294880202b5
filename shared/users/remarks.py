"""Remarks on exceptions that are accepted, for the person who adds or imports them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from shared.kernel.names import DomainName

MOST_DOMAINS = 100
"""Domains that a report names in warnings."""

type OwnDomain = Callable[[DomainName], bool]
"""Whether an account has this domain."""


def strange_domain(domain: DomainName) -> str:
    """The warning about an entry whose domain the account does not have."""
    return (
        f"The account does not have the domain {domain}, so the exception has no effect until the account's tenant "
        "verifies that domain. Check the spelling."
    )


@dataclass(frozen=True, slots=True)
class Remark:
    """A warning about entries of an import, with the line of the first."""

    line: int
    detail: str


@dataclass(slots=True)
class Remarks:
    """Collects the warnings of an import: counts, and the line of the first entry of each."""

    is_own: OwnDomain
    expired: int = 0
    _first_expired: int = 0
    _strange: dict[DomainName, tuple[int, int]] = field(default_factory=dict)
    _others: tuple[int, int] = (0, 0)

    def ended(self, line: int) -> None:
        """Count an entry that had ended."""
        self._first_expired = self._first_expired or line
        self.expired += 1

    def taken(self, line: int, domain: DomainName) -> None:
        """Count an entry that is put on the list."""
        first, count = self._strange.get(domain, (line, 0))
        if count == 0 and self.is_own(domain):
            return
        if count == 0 and len(self._strange) == MOST_DOMAINS:
            self._others = (self._others[0] or line, self._others[1] + 1)
            return
        self._strange[domain] = (first, count + 1)

    def warnings(self) -> Iterator[Remark]:
        """Return the warnings about all entries."""
        if self.expired:
            yield Remark(
                self._first_expired, f"Skipped {_entries_in_words(self.expired)} whose expiresAt is in the past."
            )
        for domain, (line, count) in self._strange.items():
            yield Remark(line, f"{_entries_in_words(count)} at {domain}. {strange_domain(domain)}")
        line, count = self._others
        if count:
            yield Remark(line, f"{_entries_in_words(count)} at other domains that the account does not have.")


def _entries_in_words(count: int) -> str:
    return "1 entry" if count == 1 else f"{count:,} entries"
