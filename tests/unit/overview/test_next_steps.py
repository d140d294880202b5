"""What has to be done next, for every situation that an account can be in."""

from dataclasses import replace

import pytest

from shared.connection.connection import Check, Connection, Status
from shared.domains.tenant_domains import DomainState
from shared.overview.next_steps import Standing, What, Who, next_steps
from shared.policies.policy import Mode
from tests.support.fakes import NEW_YEAR

WELL = Standing(
    connection=Connection(status=Status.CONNECTED, last_check=Check(at=NEW_YEAR, outcome="ok", detail="Fine.")),
    mode=Mode.ON,
    domains={DomainState.ROUTED: 2, DomainState.OFF: 1, DomainState.NOT_ROUTABLE: 1},
    in_force=1,
    ending=0,
)


def steps(standing: Standing) -> list[tuple[Who, What]]:
    return [(step.who, step.what) for step in next_steps(standing)]


def connected(outcome: str) -> Connection:
    return Connection(status=Status.CONNECTED, last_check=Check(at=NEW_YEAR, outcome=outcome, detail="So."))


def test_nothing_is_left_to_do_where_all_is_well() -> None:
    assert steps(WELL) == []
    assert steps(replace(WELL, connection=Connection(status=Status.CONNECTED))) == []


CASES: list[tuple[Standing, tuple[Who, What]]] = [
    (replace(WELL, connection=Connection()), (Who.YOU, What.CONNECT)),
    (replace(WELL, connection=Connection(status=Status.PENDING)), (Who.ENTRA_ADMINISTRATOR, What.CONSENT)),
    (
        replace(WELL, connection=Connection(status=Status.CONSENT_REVOKED)),
        (Who.ENTRA_ADMINISTRATOR, What.CONSENT_AGAIN),
    ),
    (replace(WELL, connection=connected("unreachable")), (Who.YOU, What.CHECK_AGAIN)),
    (
        replace(WELL, domains={DomainState.ROUTED: 1, DomainState.CONFLICT: 1}),
        (Who.SUPPORT, What.SETTLE_DOMAINS),
    ),
    (replace(WELL, domains={DomainState.ROUTED: 1, DomainState.NOT_LISTED: 3}), (Who.SUPPORT, What.LIST_DOMAINS)),
    (replace(WELL, domains={DomainState.OFF: 1}), (Who.YOU, What.CHECK_DOMAINS)),
    (replace(WELL, in_force=0), (Who.YOU, What.KEEP_AN_EXCEPTION)),
    (replace(WELL, mode=Mode.OFF), (Who.YOU, What.SWITCH_ON)),
    (replace(WELL, ending=1), (Who.YOU, What.REVIEW_EXCEPTIONS)),
]
"""A standing in which one thing is wrong, and who does what about it."""


@pytest.mark.parametrize(("standing", "expected"), CASES, ids=[expected[1].value for _, expected in CASES])
def test_what_is_wrong_is_put_right_by_whom_it_takes(standing: Standing, expected: tuple[Who, What]) -> None:
    assert steps(standing) == [expected]


def test_the_most_urgent_comes_first() -> None:
    new = Standing(connection=Connection(status=Status.CONNECTED), mode=Mode.OFF, domains={}, in_force=0, ending=0)
    assert [what for _, what in steps(new)] == [What.CHECK_DOMAINS, What.KEEP_AN_EXCEPTION, What.SWITCH_ON]
