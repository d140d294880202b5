"""What the accounts package offers: the register and the audit trail."""

from dataclasses import dataclass

from shared.accounts.journal import Journal
from shared.accounts.register import AccountRegister


@dataclass(frozen=True, slots=True, kw_only=True)
class Accounts:
    """The vendor's customers."""

    register: AccountRegister
    """Who they are; kept by operators."""
    journal: Journal
    """Who changed what; read by a Security Manager."""
