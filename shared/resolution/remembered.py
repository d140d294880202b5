"""Answers that were worked out a moment ago, each for as long as everything that it rests on holds."""

from collections.abc import Hashable, Sequence
from datetime import datetime

from shared.kernel.caches import BoundedCache
from shared.ports.table import Lease


class Remembered[Question: Hashable, Answer]:
    """Remembers answers; it never guesses, and an answer outlives none of its leases.

    Args: `most`, how many are remembered.
    """

    def __init__(self, most: int) -> None:
        self._answers = BoundedCache[Question, tuple[Answer, tuple[Lease, ...]]](most)

    def __len__(self) -> int:
        return len(self._answers)

    def find(self, question: Question, now: datetime) -> Answer | None:
        """The answer, if it still holds."""
        answer, leases = self._answers.get(question) or (None, ())
        for lease in leases:
            if not lease.holds(now):
                self._answers.drop(question)
                return None
        return answer

    def keep(self, question: Question, answer: Answer, leases: Sequence[Lease]) -> None:
        """Remember an answer for as long as all of these hold: one at least, or it would stand for ever."""
        self._answers.drop(question)
        if leases:
            self._answers.put(question, (answer, tuple(leases)))
