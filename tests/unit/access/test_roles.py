"""Roles: what verified claims allow, and nothing else does."""

import pytest

from shared.access.roles import (
    AccountAdministrator,
    AccountReader,
    Actor,
    Operator,
    as_administrator,
    as_operator,
    as_reader,
)
from shared.kernel.names import AccountId
from shared.kernel.refusals import Forbidden
from shared.ports.access_tokens import VerifiedAccess

ACME = AccountId("acme")


def access(*roles: str, account_id: str | None = None) -> VerifiedAccess:
    return VerifiedAccess(sub="panel-7", name="Sam", roles=roles, account_id=account_id)


def test_an_operator_may_administer_every_account() -> None:
    olga = Actor("panel-7", "Sam", "Operator")
    assert as_operator(access("Operator")) == Operator(olga)
    assert as_administrator(access("Operator"), ACME) == AccountAdministrator(ACME, olga)


def test_a_security_manager_may_administer_their_account() -> None:
    sam = Actor("panel-7", "Sam", "SecurityManager")
    assert as_administrator(access("SecurityManager", account_id="acme"), ACME) == AccountAdministrator(ACME, sam)


@pytest.mark.parametrize(
    "stranger",
    [
        access(),
        access(account_id="acme"),
        access("SecurityManager"),
        access("SecurityManager", account_id="other"),
        access("SecurityManager", account_id="ACME"),
        access("SecurityManager", account_id=""),
        access("SecurityReader"),
        access("SecurityReader", account_id="other"),
        access("securityreader", account_id="acme"),
        access("securitymanager", account_id="acme"),
        access("operator", "Operators", "Operator "),
    ],
)
def test_nobody_else_may(stranger: VerifiedAccess) -> None:
    with pytest.raises(Forbidden):
        as_administrator(stranger, ACME)
    with pytest.raises(Forbidden):
        as_reader(stranger, ACME)
    with pytest.raises(Forbidden):
        as_operator(stranger)


def test_a_security_manager_is_no_operator() -> None:
    with pytest.raises(Forbidden):
        as_operator(access("SecurityManager", account_id="acme"))


def test_a_reader_sees_their_account_and_changes_nothing() -> None:
    rita = access("SecurityReader", account_id="acme")
    assert as_reader(rita, ACME) == AccountReader(ACME, Actor("panel-7", "Sam", "SecurityReader"))
    with pytest.raises(Forbidden, match="change nothing"):
        as_administrator(rita, ACME)
    with pytest.raises(Forbidden):
        as_operator(rita)


@pytest.mark.parametrize("roles", [("Operator",), ("SecurityManager",), ("SecurityReader", "SecurityManager")])
def test_whoever_administers_an_account_reads_it_in_that_role(roles: tuple[str, ...]) -> None:
    administrator = as_reader(access(*roles, account_id="acme"), ACME)
    assert administrator == as_administrator(access(*roles, account_id="acme"), ACME)
    assert administrator.actor.role == roles[-1]
