"""The size of a run: long enough to show a difference, or short enough to try the measurement itself."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scale:
    """Rounds that count, seconds of one shot, questions of a shot that asks each once, and the largest store.

    `sign_ins` is how many whole sign-ins a shot makes; `peers`, whether other products run beside the service.
    """

    rounds: int
    seconds: float
    questions: int
    many: int
    sign_ins: int
    peers: bool = False

    @property
    def fewer_rounds(self) -> int:
        """For comparisons of many cases."""
        return (self.rounds + 1) // 2


FULL = Scale(rounds=5, seconds=0.8, questions=300, many=100_000, sign_ins=48)
QUICK = Scale(rounds=2, seconds=0.5, questions=60, many=2_000, sign_ins=16)
