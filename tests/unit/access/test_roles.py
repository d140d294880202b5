"""Roles: what verified claims allow, and nothing else does."""

import pytest

from shared.access.roles import AccountAdministrator, Actor, Operator, as_administrator, as_operator
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
        access("securitymanager", account_id="acme"),
        access("operator", "Operators", "Operator "),
    ],
)
def test_nobody_else_may(stranger: VerifiedAccess) -> None:
    with pytest.raises(Forbidden):
        as_administrator(stranger, ACME)
    with pytest.raises(Forbidden):
        as_operator(stranger)


def test_a_security_manager_is_no_operator() -> None:
    with pytest.raises(Forbidden):
        as_operator(access("SecurityManager", account_id="acme"))
