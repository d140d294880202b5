"""The size of a run: long enough to show a difference, or short enough to try the measurement itself."""

from dataclasses import dataclass

from shared.users.exemption_sets import MOST_ENTRIES


@dataclass(frozen=True, slots=True)
class Scale:
    """Rounds that count, seconds of one shot, questions of a shot that asks each once, and the largest store.

    `sign_ins` is how many whole sign-ins a shot makes, and `warm_up` how many make a process warm: Node and Java
    compile what is hot. `peers` is whether other products run beside the service.
    """

    rounds: int
    seconds: float
    questions: int
    many: int
    sign_ins: int
    warm_up: int
    peers: bool = False

    @property
    def long_list(self) -> int:
        """Entries of an exception list that is as long as one may be to be held in memory."""
        return min(self.many // 10, MOST_ENTRIES)

    @property
    def fewer_rounds(self) -> int:
        """For comparisons of many cases."""
        return (self.rounds + 1) // 2


FULL = Scale(rounds=5, seconds=0.8, questions=300, many=100_000, sign_ins=48, warm_up=240)
QUICK = Scale(rounds=2, seconds=0.5, questions=60, many=2_000, sign_ins=16, warm_up=16)
