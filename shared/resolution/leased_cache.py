"""A cache whose entries expire with the rows they were computed from."""

from collections.abc import Hashable, Sequence
from datetime import timedelta

from shared.kernel.caches import BoundedCache
from shared.ports.table import Lease


class LeasedCache[Question: Hashable, Answer]:
    """Caches answers. An answer never outlives any of its leases.

    Args: `most`, the number of answers that it keeps.
    """

    def __init__(self, most: int) -> None:
        self._answers = BoundedCache[Question, tuple[Answer, tuple[Lease, ...]]](most)

    def __len__(self) -> int:
        return len(self._answers)

    def find(self, question: Question, now: timedelta) -> Answer | None:
        """The answer, if each of its leases is still valid. Args: `now`, by the monotonic clock."""
        answer, leases = self._answers.get(question) or (None, ())
        for lease in leases:
            if not lease.holds(now):
                self._answers.drop(question)
                return None
        return answer

    def keep(self, question: Question, answer: Answer, leases: Sequence[Lease]) -> None:
        """Keep an answer as long as all of these leases are valid: at least one, or it would never expire."""
        self._answers.drop(question)
        if leases:
            self._answers.put(question, (answer, tuple(leases)))
