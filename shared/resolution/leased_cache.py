"""A cache whose entries expire with the rows they were computed from, and one of what comes again within seconds."""

import asyncio
from collections import OrderedDict
from collections.abc import Hashable
from datetime import timedelta
from typing import Final

from shared.ports.table import Lease

_MOST: Final = 1_000
"""Bodies that are counted, and answers to bodies that are kept."""

_SHORT: Final = 1_024
"""Bytes of the longest body that is kept."""

_SECONDS: Final = 10
"""After this no body is in memory any more, whether or not another one comes."""


class LeasedCache[Question: Hashable, Answer]:
    """Caches answers. An answer never outlives any of its leases, which are short, so the oldest one makes room.

    Args: `most`, the number of answers that it keeps.
    """

    __slots__ = ("_answers", "_most")

    def __init__(self, most: int) -> None:
        self._most = most
        self._answers: OrderedDict[Question, tuple[Answer, tuple[Lease, ...]]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._answers)

    def find(self, question: Question, now: timedelta) -> Answer | None:
        """The answer, if each of its leases is still valid. Args: `now`, by the monotonic clock."""
        answer, leases = self._answers.get(question) or (None, ())
        for lease in leases:
            if not lease.holds(now):
                del self._answers[question]
                return None
        return answer

    def keep(self, question: Question, answer: Answer, leases: tuple[Lease, ...]) -> None:
        """Keep an answer as long as all of these leases are valid: at least one, or it would never expire."""
        self._answers.pop(question, None)
        if leases:
            self._answers[question] = answer, leases
            if len(self._answers) > self._most:
                self._answers.popitem(last=False)

    def clear(self) -> None:
        """Forget every answer."""
        self._answers.clear()


class Repetitions[Answer]:
    """Keeps the answer to a request's body from its second time on, so that it is not read a third time.

    Nearly every body comes once. To keep its answer would cost more than to make it, since memory that is used for
    seconds is no longer in the processor's cache; and it names a person. Of such a body nothing but a number is kept.
    """

    def __init__(self) -> None:
        self._seen: set[int] = set()
        self._forgetting: asyncio.TimerHandle | None = None
        self._answers = LeasedCache[bytes, Answer](_MOST)

    def find(self, body: bytes, now: timedelta) -> Answer | None:
        """The answer, if it is kept and valid. Args: `now`, by the monotonic clock."""
        return self._answers.find(body, now)

    def keep(self, body: bytes, answer: Answer, leases: tuple[Lease, ...]) -> None:
        """Keep the answer as long as its leases are valid, if this is not the first time that the body came."""
        if len(body) > _SHORT:
            return
        number = hash(body)
        if number in self._seen:
            self._answers.keep(body, answer, leases)
            return
        if len(self._seen) >= _MOST:
            self._seen.clear()
        if self._forgetting is None:
            self._forgetting = asyncio.get_running_loop().call_later(_SECONDS, self._forget)
        self._seen.add(number)

    def _forget(self) -> None:
        self._forgetting = None
        self._seen.clear()
        self._answers.clear()
