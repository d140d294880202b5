"""What has to be done next for an account, and by whom: pure, so that each rule is read in one place."""

from dataclasses import dataclass
from enum import StrEnum

from shared.connection.connection import Connection, Status
from shared.domains.tenant_domains import DomainState
from shared.policies.policy import Mode


class Who(StrEnum):
    """The person who must act."""

    YOU = "you"
    ENTRA_ADMINISTRATOR = "entra_administrator"
    SUPPORT = "support"


class What(StrEnum):
    """The thing to do. A control panel has the words for each."""

    CONNECT = "connect"
    CONSENT = "consent"
    CONSENT_AGAIN = "consent_again"
    CHECK_AGAIN = "check_again"
    SETTLE_DOMAINS = "settle_domains"
    LIST_DOMAINS = "list_domains"
    CHECK_DOMAINS = "check_domains"
    KEEP_AN_EXCEPTION = "keep_an_exception"
    SWITCH_ON = "switch_on"
    REVIEW_EXCEPTIONS = "review_exceptions"


@dataclass(frozen=True, slots=True)
class Step:
    """Who must do what."""

    who: Who
    what: What


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Everything that the steps depend on, and nothing else."""

    connection: Connection
    """As it is at this moment."""
    mode: Mode
    """Whether SSO is on."""
    domains: dict[DomainState, int]
    """How many domains are in each state."""
    in_force: int
    """Exceptions in force, as far as they were counted."""
    ending: int
    """Those of them that end soon."""


def next_steps(standing: Standing) -> tuple[Step, ...]:
    """The steps in the order in which they help, the most urgent first."""
    return tuple(Step(who, what) for who, what, due in _steps(standing) if due)


def _steps(standing: Standing) -> tuple[tuple[Who, What, bool], ...]:
    status, domains = standing.connection.status, standing.domains
    connected, on = status is Status.CONNECTED, standing.mode is Mode.ON
    check = standing.connection.last_check
    return (
        (Who.YOU, What.CONNECT, status is Status.DISCONNECTED),
        (Who.ENTRA_ADMINISTRATOR, What.CONSENT, status is Status.PENDING),
        (Who.ENTRA_ADMINISTRATOR, What.CONSENT_AGAIN, status is Status.CONSENT_REVOKED),
        (Who.YOU, What.CHECK_AGAIN, connected and check is not None and check.outcome != "ok"),
        (Who.SUPPORT, What.SETTLE_DOMAINS, bool(domains.get(DomainState.CONFLICT))),
        (Who.SUPPORT, What.LIST_DOMAINS, bool(domains.get(DomainState.NOT_LISTED))),
        (Who.YOU, What.CHECK_DOMAINS, connected and not domains.get(DomainState.ROUTED)),
        (Who.YOU, What.KEEP_AN_EXCEPTION, connected and not standing.in_force),
        (Who.YOU, What.SWITCH_ON, connected and not on),
        (Who.YOU, What.REVIEW_EXCEPTIONS, bool(standing.ending)),
    )
