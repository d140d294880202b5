"""The content of `directory.toml`, as frozen models.

The app registration, the tenants and their people, the control panel's people. It owns the rules that a real directory
enforces (a domain is verified in exactly one tenant, a user principal name lives under a domain of its tenant, a guest
has a home) and answers who is who. It knows no HTTP and no tokens.
"""

import tomllib
from collections import Counter
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

PERSONAL_ACCOUNTS = "9188040d-6c67-4c5b-b112-36a304b66dad"
"""The tenant of all personal Microsoft accounts."""

ROLE_TEMPLATES = {
    "Global Administrator": "62e90394-69f5-4237-9190-012177145e10",
    "Privileged Role Administrator": "e8611ab8-c189-46e8-94e1-60213ab1f814",
    "Application Administrator": "9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3",
    "Cloud Application Administrator": "158c047a-c907-4556-b7ef-446551a6b5f7",
    "User Administrator": "fe930be7-5e62-47db-91af-98c3a49a38b1",
    "Global Reader": "f2ef992c-3afb-46b9-b7cf-a126ee74c451",
    "Reports Reader": "4a5d8f65-41da-4de4-8968-e035b65339cf",
}
"""Role template ids, https://learn.microsoft.com/en-us/entra/identity/role-based-access-control/permissions-reference."""

EVERY_MEMBER = "b79fbf4d-3ef9-4689-8143-76b194e85509"
"""No role, yet in the `wids` of every member: a service that accepts any `wids` as an administrator's is wrong."""

CONSENT_TO_ANYTHING = frozenset({"Global Administrator", "Privileged Role Administrator"})
CONSENT_TO_DELEGATED = CONSENT_TO_ANYTHING | {"Application Administrator", "Cloud Application Administrator"}
"""All but Microsoft Graph application permissions; same page as the role template ids."""

type Role = Literal[
    "Global Administrator",
    "Privileged Role Administrator",
    "Application Administrator",
    "Cloud Application Administrator",
    "User Administrator",
    "Global Reader",
    "Reports Reader",
]


type OptionalClaim = Literal[
    "acct", "acrs", "auth_time", "email", "family_name", "given_name", "login_hint", "sid", "xms_edov"
]


class Entry(BaseModel):
    """One table of the file; a key it doesn't know is a mistake."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Application(Entry):
    """The app registration: multi-tenant, work and school accounts only (`AzureADMultipleOrgs`)."""

    name: str
    client_id: str
    client_secret: str
    home_tenant: str
    redirect_paths: tuple[str, ...]
    front_channel_logout_path: str
    delegated_permissions: tuple[str, ...]
    application_permissions: tuple[str, ...]
    group_membership_claims: Literal["None", "SecurityGroup", "DirectoryRole", "All"]
    optional_claims: frozenset[OptionalClaim]
    remove_unverified_email_claim: bool


class ManagedIdentity(Entry):
    """The user-assigned identity that the registration's federated credential trusts."""

    tenant_id: str
    client_id: str
    principal_id: str
    identity_header: str


class Domain(Entry):
    """A domain verified in a tenant; the initial one is `*.onmicrosoft.com` and stays for ever."""

    name: str
    is_default: bool = False
    is_initial: bool = False


class User(Entry):
    """A user object of one tenant: a member, or a guest whose account lives in another tenant."""

    oid: str
    user_principal_name: str
    display_name: str
    given_name: str | None = None
    surname: str | None = None
    mail: str | None = None
    email_verified: bool | None = None
    """What `xms_edov` says; absent: whether the mail's domain is verified in the tenant."""
    password: str = ""
    roles: tuple[Role, ...] = ()
    home_account: str | None = None
    auth_contexts: tuple[str, ...] = ()
    """The authentication contexts of Conditional Access that a sign-in of theirs satisfies."""
    enabled: bool = True

    @property
    def is_guest(self) -> bool:
        """Whether the person's account lives in another tenant."""
        return self.home_account is not None

    @property
    def sign_in_name(self) -> str:
        """What the person types: the user principal name at home."""
        return self.home_account or self.user_principal_name

    @property
    def role_template_ids(self) -> list[str]:
        """The `wids` of the person's tokens."""
        roles = [ROLE_TEMPLATES[role] for role in self.roles]
        return roles if self.is_guest else [*roles, EVERY_MEMBER]


class Tenant(Entry):
    """One directory."""

    tenant_id: str
    name: str
    domains: tuple[Domain, ...]
    users: tuple[User, ...] = ()

    @property
    def default_domain(self) -> str:
        """The name by which messages mention the tenant."""
        return next(domain.name for domain in self.domains if domain.is_default)

    def verifies(self, email: str) -> bool:
        """Whether the email's domain is one of the tenant's verified domains."""
        return email.rpartition("@")[2].lower() in {domain.name for domain in self.domains}

    def user(self, oid: str) -> User | None:
        """The user object with that id."""
        return next((user for user in self.users if user.oid == oid), None)

    def user_of(self, sign_in_name: str) -> User | None:
        """The user object, member or guest, of the person who signs in with that name."""
        name = sign_in_name.lower()
        return next((user for user in self.users if user.sign_in_name.lower() == name), None)

    @model_validator(mode="after")
    def _one_default_one_initial(self) -> Self:
        defaults = sum(domain.is_default for domain in self.domains)
        initials = sum(domain.is_initial for domain in self.domains)
        if (defaults, initials) != (1, 1):
            message = f"{self.name} needs one default and one initial domain"
            raise ValueError(message)
        return self


class Person(Entry):
    """Someone who works in the vendor's control panel."""

    username: str
    password: str
    name: str
    subject: str
    roles: tuple[str, ...]
    account_id: str | None = None


class ControlPanel(Entry):
    """The control panel's own identity provider."""

    audience: str
    people: tuple[Person, ...]

    def person(self, username: str) -> Person | None:
        """The person with that user name."""
        return next((person for person in self.people if person.username == username), None)


class Directory(Entry):
    """The whole file."""

    application: Application
    managed_identity: ManagedIdentity
    tenants: tuple[Tenant, ...] = Field(min_length=1)
    control_panel: ControlPanel

    @model_validator(mode="after")
    def _names_are_unique(self) -> Self:
        domains = Counter(domain.name for tenant in self.tenants for domain in tenant.domains)
        names = Counter(user.user_principal_name.lower() for tenant in self.tenants for user in tenant.users)
        taken = [name for name, count in (domains + names).items() if count > 1]
        if taken:
            message = f"verified or registered twice: {', '.join(taken)}"
            raise ValueError(message)
        return self

    def tenant(self, id_or_domain: str) -> Tenant | None:
        """The tenant with that id or verified domain, as a path names it."""
        wanted = id_or_domain.lower()
        return next(
            (
                tenant
                for tenant in self.tenants
                if tenant.tenant_id == wanted or any(domain.name == wanted for domain in tenant.domains)
            ),
            None,
        )

    def home_of(self, sign_in_name: str) -> tuple[Tenant, User] | None:
        """The home tenant and account of the person who signs in with that name."""
        homes = ((tenant, tenant.user_of(sign_in_name)) for tenant in self.tenants)
        return next(
            ((tenant, user) for tenant, user in homes if user is not None and not user.is_guest),
            None,
        )

    def renamed(self, tenant: Tenant, oid: str, name: str) -> Self:
        """A copy of the directory in which a member has another user principal name.

        Their mail follows if it was the old name, and so does each guest object that is theirs, as at Microsoft.

        Raises:
            ValueError: there is no such member, or the name is taken or under no verified domain of the tenant.

        """
        user = tenant.user(oid)
        if user is None or user.is_guest or not tenant.verifies(name):
            message = f"only a member can be renamed, to a name under a verified domain of {tenant.name}"
            raise ValueError(message)
        old = user.user_principal_name

        def after(each: User) -> User:
            if each.oid == oid:
                mail = name if each.mail == old else each.mail
                return each.model_copy(update={"user_principal_name": name, "mail": mail})
            return each.model_copy(update={"home_account": name}) if each.home_account == old else each

        directory = self
        for each in self.tenants:
            users = tuple(map(after, each.users))
            directory = directory.with_tenant(each.model_copy(update={"users": users}))
        return directory

    def with_tenant(self, changed: Tenant) -> Self:
        """A copy of the directory with one tenant replaced.

        Raises:
            ValueError: the change gives a domain or a user name to two tenants, which a real directory refuses too.

        """
        tenants = [changed if tenant.tenant_id == changed.tenant_id else tenant for tenant in self.tenants]
        return type(self).model_validate(self.model_dump() | {"tenants": [t.model_dump() for t in tenants]})


def load(path: Path) -> Directory:
    """Read a directory file.

    Raises:
        ValueError: a key is missing, unknown or against a rule; the message names it.

    """
    directory = Directory.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    for tenant in directory.tenants:
        for user in tenant.users:
            if not tenant.verifies(user.user_principal_name):
                message = f"{user.user_principal_name} is under no verified domain of {tenant.name}"
                raise ValueError(message)
            if user.home_account is not None and directory.home_of(user.home_account) is None:
                message = f"{user.user_principal_name} has no home account {user.home_account}"
                raise ValueError(message)
    return directory
