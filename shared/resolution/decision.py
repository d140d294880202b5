"""The rule that decides how a person signs in: pure, total, and in no other place."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from shared.connection.connection import Status
from shared.policies.policy import Mode, WhenConnectionFails


class Method(StrEnum):
    """How a person signs in."""

    SSO = "sso"
    PASSWORD = "password"  # noqa: S105 - a method of signing in, not a secret


@dataclass(frozen=True, slots=True)
class Situation:
    """Everything that the decision depends on, and nothing else. The default is a domain without an account.

    Args:
        domain_routes: the email's domain routes to an account, whose own rows confirm it.
        status: the status of the account's connection.
        when_connection_fails: the policy's setting for a revoked consent.
        mode: the policy's mode.
        application_serves: SSO works in the application for this account, or none was named.
        application_on: the policy has not switched the application off, or none was named.
        excepted: an exception of this user is in force.
    """

    domain_routes: bool = False
    status: Status = Status.DISCONNECTED
    when_connection_fails: WhenConnectionFails = WhenConnectionFails.PASSWORD
    mode: Mode = Mode.OFF
    application_serves: bool = True
    application_on: bool = True
    excepted: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """A method, and the name of the rule that chose it."""

    method: Method
    because: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """The verdict of one rule on a situation: `applies` means password."""

    rule: str
    applies: bool


def _connection_fails(situation: Situation) -> bool:
    if situation.status is Status.CONSENT_REVOKED:
        return situation.when_connection_fails is WhenConnectionFails.PASSWORD
    return situation.status is not Status.CONNECTED


NOT_ROUTED = "domain_not_routed"
"""The rule for an address whose domain routes to no account."""

PASSWORD_RULES: tuple[tuple[str, Callable[[Situation], bool]], ...] = (
    (NOT_ROUTED, lambda situation: not situation.domain_routes),
    ("not_connected", _connection_fails),
    ("sso_off", lambda situation: situation.mode is not Mode.ON),
    ("application_incompatible", lambda situation: not situation.application_serves),
    ("application_switched_off", lambda situation: not situation.application_on),
    ("excepted", lambda situation: situation.excepted),
)
"""In this order; the first that applies decides."""

OF_THE_APPLICATION = frozenset({"application_incompatible", "application_switched_off"})
"""The rules that say nothing of other applications."""


def decide(situation: Situation) -> Decision:
    """SSO, unless one of the rules applies, which means password."""
    for because, applies in PASSWORD_RULES:
        if applies(situation):
            return Decision(Method.PASSWORD, because)
    return Decision(Method.SSO, "sso_applies")


def trace(situation: Situation) -> tuple[Verdict, ...]:
    """Every rule with its verdict, in the order in which `decide` asks them.

    It is for a person who asks why. `decide` stops at the first rule that applies, and bears no cost of this.
    """
    return tuple(Verdict(rule, applies(situation)) for rule, applies in PASSWORD_RULES)
