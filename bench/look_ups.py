"""What peers answer to the question that resolve answers: where does the person with this address sign in?

Like a known account's users, the people are new each time.
"""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Final

from bench.load import Plan, fire
from bench.peers.peer import LookUp, Peer
from bench.peers.registry import peers_alone
from bench.rounds import Case, Reading, reading_of
from bench.scale import Scale
from bench.used import cpu_seconds_warm

LOOK_UP: Final = "look-up"


@contextmanager
def look_ups(scale: Scale, callers: int) -> Generator[Mapping[str, Case]]:
    """Run the peers, if that is wanted; the cases of those that can look somebody up, by their titles."""
    with peers_alone(wanted=scale.peers) as peers:
        cases: dict[str, Case] = {}
        for peer in peers:
            if peer.look_up:
                for _ in range(peer.slow_to_warm):
                    _warm(peer.look_up, scale, callers)
                cases[f"{LOOK_UP}, {peer.title}"] = _case(peer, peer.look_up, scale, callers)
        yield cases


def _warm(look_up: LookUp, scale: Scale, callers: int) -> None:
    people = (f"warm-{each}@{look_up.domain}" for each in range(30 * scale.warm_up))
    fire(Plan(look_up.port, [look_up.request(each) for each in people], callers, 100 * scale.seconds))


def _case(peer: Peer, look_up: LookUp, scale: Scale, callers: int) -> Case:
    def measured(number: int) -> Reading:
        people = (f"user-{number}-{each}@{look_up.domain}" for each in range(10 * scale.questions))
        plan = Plan(look_up.port, [look_up.request(each) for each in people], callers, scale.seconds)
        before = sum(map(cpu_seconds_warm, peer.pids))
        shot = fire(plan)
        return reading_of(shot, sum(map(cpu_seconds_warm, peer.pids)) - before)

    return measured
