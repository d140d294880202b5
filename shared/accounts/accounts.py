"""What the accounts package offers: the register and the audit trail."""

from dataclasses import dataclass

from shared.accounts.journal import Journal
from shared.accounts.register import AccountRegister


@dataclass(frozen=True, slots=True, kw_only=True)
class Accounts:
    """The vendor's customers."""

    register: AccountRegister
    """Their register, kept by operators."""
    journal: Journal
    """The audit trail of changes, read by a Security Manager."""
