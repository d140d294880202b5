"""The roles of the control panel, made from verified claims and from nothing else.

`Operator` is the vendor's own staff and control panel backend; `SecurityManager` administers one account's SSO, and
`SecurityReader` sees everything of it and changes nothing. A method that acts for one of them takes the role, reads
included, so the check cannot be forgotten.
"""

from dataclasses import dataclass
from datetime import datetime

from shared.kernel.names import AccountId
from shared.kernel.refusals import Forbidden
from shared.ports.access_tokens import VerifiedAccess, VerifiedSession

OPERATOR = "Operator"
SECURITY_MANAGER = "SecurityManager"
SECURITY_READER = "SecurityReader"
USER = "User"
"""The role in a trail of a person who signs in; their subject is the object id."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts, as the audit trail has it: `subject` and `name` are the token's `sub` and `name`."""

    subject: str
    name: str | None
    role: str


OURSELVES = Actor("azure-sso", "Azure SSO", "Service")
"""The service, where it acts of itself."""


@dataclass(frozen=True, slots=True)
class Operator:
    """May register accounts and applications."""

    actor: Actor


@dataclass(frozen=True, slots=True)
class AccountReader:
    """May see everything of this one account's SSO."""

    account_id: AccountId
    actor: Actor


@dataclass(frozen=True, slots=True)
class AccountAdministrator(AccountReader):
    """May administer the SSO of this one account, and see everything of it."""


@dataclass(frozen=True, slots=True)
class PortalHost(AccountAdministrator):
    """May let people into the portal of this one account: an Operator anybody, a Security Manager themselves.

    It is proven by a token of the control panel, never by a session of the portal, which could outlive itself so.
    """


@dataclass(frozen=True, slots=True)
class PortalVisitor(AccountReader):
    """A person in their session of the portal, whatever they may do there, and when it ends at the latest."""

    session_id: str
    expires_at: datetime


def as_operator(access: VerifiedAccess) -> Operator:
    """The operator that these claims speak of.

    Raises:
        Forbidden: they do not.
    """
    if OPERATOR not in access.roles:
        raise Forbidden("Only an Operator may do this. Ask the vendor's staff.")
    return Operator(Actor(access.sub, access.name, OPERATOR))


def as_administrator(access: VerifiedAccess, account_id: AccountId) -> AccountAdministrator:
    """The administrator of this account that these claims speak of: its Security Manager, or an operator.

    Raises:
        Forbidden: they do not, or speak of another account.
    """
    if OPERATOR in access.roles:
        return AccountAdministrator(account_id, Actor(access.sub, access.name, OPERATOR))
    if SECURITY_MANAGER in access.roles and access.account_id == account_id:
        return AccountAdministrator(account_id, Actor(access.sub, access.name, SECURITY_MANAGER))
    if SECURITY_READER in access.roles and access.account_id == account_id:
        raise Forbidden("You may see this account and change nothing. Ask a Security Manager of this account to do it.")
    raise Forbidden("Only a Security Manager of this account, or an Operator, may do this.")


def as_portal_host(access: VerifiedAccess, account_id: AccountId) -> PortalHost:
    """The one who lets people into the portal of this account: its Security Manager, or an operator.

    Raises:
        Forbidden: the claims speak of neither, or of another account.
    """
    return PortalHost(account_id, as_administrator(access, account_id).actor)


def as_visitor(session: VerifiedSession, account_id: AccountId) -> PortalVisitor:
    """The visitor whose session this is."""
    access, (role,) = session.access, session.access.roles
    return PortalVisitor(account_id, Actor(access.sub, access.name, role), session.session_id, session.expires_at)


def as_reader(access: VerifiedAccess, account_id: AccountId) -> AccountReader:
    """The reader of this account that these claims speak of: everybody who may administer it is one, too.

    Raises:
        Forbidden: they do not, or speak of another account.
    """
    administers = OPERATOR in access.roles or SECURITY_MANAGER in access.roles
    if not administers and SECURITY_READER in access.roles and access.account_id == account_id:
        return AccountReader(account_id, Actor(access.sub, access.name, SECURITY_READER))
    return as_administrator(access, account_id)
