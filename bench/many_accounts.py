"""Resolve for users who were never asked for before, over a thousand accounts, as a vendor with many customers has it.

Accounts are asked for by Zipf's law: the n-th largest one n times less often than the largest, whose exception list is
as long as one may be to be held in memory. Requests to the store pass a relay, which counts them: an account that was
asked for within ten seconds costs no read, so how many a request makes depends on how many requests there are.
"""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from itertools import accumulate
from random import Random
from typing import Final

from bench import stores
from bench.rounds import Case, Reading
from bench.scale import Scale
from bench.stage import Question, ask, service
from local.cast.stack import at_port
from tests.support.wire import Relay

ACCOUNTS: Final = 1_000
LONG_LIST: Final = "resolve, known account with a long exception list"
ZIPF: Final = f"resolve, new users of {ACCOUNTS:,} accounts"

_SEED: Final = 16
_SHOTS: Final = 5
"""How many times as long as others the shots at many accounts are: some need to be asked for twice."""


@contextmanager
def many_accounts(scale: Scale, callers: int) -> Generator[Mapping[str, Case]]:
    """Run a service for the two cases: users of the largest account, and of all by Zipf's law."""
    rows = [*stores.accounts(ACCOUNTS), *stores.applications(1)]
    listed = stores.exceptions(stores.account_id(0), stores.domain(0), scale.long_list)
    draws = Random(_SEED)  # noqa: S311 - every run has to ask for the same accounts
    frequencies = [*accumulate(1 / rank for rank in range(1, ACCOUNTS + 1))]
    with (
        stores.stored(rows, listed) as store,
        Relay(store.port) as relay,
        service(at_port(store, relay.port)) as host,
    ):
        known = _user(0, "alice")
        known.must_mean_sso(host)

        def shoot(questions: list[Question], seconds: float) -> Reading:
            relay.rounds.clear()
            reading = ask(host, questions, callers, seconds)
            return replace(reading, calls=len(relay.requests) / reading.count)

        def long_list(number: int) -> Reading:
            ask(host, [known], 1, scale.seconds)
            return shoot([_user(0, f"user-{number}-{each}") for each in range(10 * scale.questions)], scale.seconds)

        def zipf(number: int) -> Reading:
            asked = draws.choices(range(ACCOUNTS), cum_weights=frequencies, k=10 * _SHOTS * scale.questions)
            questions = [_user(account, f"new-{number}-{each}") for each, account in enumerate(asked)]
            return shoot(questions, _SHOTS * scale.seconds)

        yield {LONG_LIST: long_list, ZIPF: zipf}


def _user(account: int, name: str) -> Question:
    return Question(f"{name}@{stores.domain(account)}", stores.client_id(0))
