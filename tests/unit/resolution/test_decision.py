"""The truth table of resolution: every situation there is, against the rule as the design words it.

`pytest -s` prints the table, folded: `*` stands for every value.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import astuple, fields
from itertools import product

from shared.connection.connection import Status
from shared.policies.policy import Mode, WhenConnectionFails
from shared.resolution.decision import PASSWORD_RULES, Decision, Method, Situation, Verdict, decide, trace

VALUES = ((True, False), Status, WhenConnectionFails, Mode, (True, False), (True, False), (True, False))


def situations() -> Iterator[Situation]:
    return (Situation(*values) for values in product(*VALUES))


def as_worded(s: Situation) -> str:
    """First match wins: domain not routed -> password; connection not connected -> password (`consent_revoked` follows
    the policy's `whenConnectionFails`); mode off -> password; application incompatible or switched off -> password; an
    exception in force -> password; else sso.
    """
    if not s.domain_routes:
        return "password"
    if s.status == "consent_revoked" and s.when_connection_fails == "password":
        return "password"
    if s.status in ("pending", "disconnected"):
        return "password"
    if s.mode == "off":
        return "password"
    if not (s.application_serves and s.application_on):
        return "password"
    return "password" if s.excepted else "sso"


def folded() -> str:
    """The table with the fields that do not matter folded away, one line for each way to a decision."""
    lines = {(situation, decide(situation)) for situation in situations()}
    rows = {(*map(str, astuple(situation)), decision.because, decision.method.value) for situation, decision in lines}
    for column, values in enumerate(VALUES):
        by_rest: dict[tuple[str, ...], set[str]] = {}
        for row in rows:
            by_rest.setdefault((*row[:column], *row[column + 1 :]), set()).add(row[column])
        rows = {
            (*rest[:column], found, *rest[column:])
            for rest, seen in by_rest.items()
            for found in (["*"] if seen >= {str(value) for value in values} or seen == {"*"} else seen)
        }
    head = (*(field.name for field in fields(Situation)), "because", "method")
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    order = [name for name, _ in PASSWORD_RULES] + ["sso_applies"]
    body = sorted(rows, key=lambda row: (order.index(row[-2]), row))
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in (head, *body)
    )


def test_every_situation_is_decided_as_the_design_words_it() -> None:
    table = folded()
    print(f"\n{table}")  # noqa: T201 - the table is there to be read
    assert [(s, decide(s).method.value) for s in situations()] == [(s, as_worded(s)) for s in situations()], table


def test_the_table_is_complete_and_every_rule_decides_something() -> None:
    reasons = Counter(decide(situation).because for situation in situations())
    assert reasons.total() == 2 * 4 * 2 * 2 * 2 * 2 * 2
    assert set(reasons) == {name for name, _ in PASSWORD_RULES} | {"sso_applies"}


def test_sso_needs_everything_at_once() -> None:
    ways = [situation for situation in situations() if decide(situation) == Decision(Method.SSO, "sso_applies")]
    assert {(s.status, s.when_connection_fails) for s in ways} == {
        (Status.CONNECTED, WhenConnectionFails.PASSWORD),
        (Status.CONNECTED, WhenConnectionFails.SSO),
        (Status.CONSENT_REVOKED, WhenConnectionFails.SSO),
    }
    assert {(s.domain_routes, s.mode, s.application_serves, s.application_on, s.excepted) for s in ways} == {
        (True, Mode.ON, True, True, False)
    }


def test_a_trace_names_every_rule_in_order_and_its_first_that_applies_is_the_decision() -> None:
    for situation in situations():
        verdicts = trace(situation)
        assert [verdict.rule for verdict in verdicts] == [name for name, _ in PASSWORD_RULES]
        first = next((verdict.rule for verdict in verdicts if verdict.applies), "sso_applies")
        assert decide(situation).because == first


def test_a_trace_goes_on_after_the_rule_that_decides() -> None:
    switched_off = Situation(domain_routes=True, status=Status.CONNECTED, mode=Mode.OFF, excepted=True)
    assert trace(switched_off) == (
        Verdict("domain_not_routed", applies=False),
        Verdict("not_connected", applies=False),
        Verdict("sso_off", applies=True),
        Verdict("application_incompatible", applies=False),
        Verdict("application_switched_off", applies=False),
        Verdict("excepted", applies=True),
    )
