"""The rules that prove whose consent it is, as pure code. Everything that is not proven is refused.

The `tenant` parameter of a consent response can be forged and proves nothing; it only names where to find the proof:
1. the response has our state, which `shared.flows` binds to one browser;
2. `error` is read before `admin_consent`, because Entra sets `admin_consent=True` beside an error, too;
3. a sign-in at `/{tenant}/` shows who consented: `tid` must be that tenant, `wids` must have a role that may consent;
4. an app-only token of that tenant is issued, and Graph's organization is that tenant;
5. the tenant has verified one of the domains that the vendor lists for the account, if it lists any.

Microsoft's parts learn of a consent one after the other, so some refusals mean "not yet" for a while.
"""

from datetime import timedelta

from shared.kernel.names import PERSONAL_ACCOUNTS, DomainName, TenantId
from shared.kernel.refusals import ConsentRefused, ProofFailed, Refusal, Unavailable
from shared.ports.entra import Answer, ConsentMissing, GraphForbidden, ProviderRefused
from shared.ports.organizations import Organization
from shared.ports.sign_in import VerifiedIdentity

CONSENTING_ROLES = {
    "62e90394-69f5-4237-9190-012177145e10": "Global Administrator",
    "e8611ab8-c189-46e8-94e1-60213ab1f814": "Privileged Role Administrator",
}
"""The roles that can consent to an application permission of Microsoft Graph, by template id.

We ask for one (Organization.Read.All), which is more than an Application or Cloud Application Administrator can grant
(https://learn.microsoft.com/entra/identity/enterprise-apps/grant-admin-consent#prerequisites). A custom role can
grant it, but `wids` lists built-in roles only, so a custom role proves nothing here.
https://learn.microsoft.com/entra/identity/role-based-access-control/permissions-reference
"""

_NOT_KNOWN_YET = {"AADSTS65001": 65001, "AADSTS700016": 700016, "AADSTS7000229": 7000229}
"""No consent, no such application, no service principal: also what Entra says shortly after a consent."""

_REDEEMED = frozenset({54005, 70008})
"""The code was redeemed before, or has expired: after an interrupted request we may have done it ourselves."""

_ITSELF = frozenset({"temporarily_unavailable", "server_error"})
"""OAuth's errors of a server that cannot answer (RFC 6749, section 4.1.2.1)."""

_PATIENCE = timedelta(minutes=2)
"""How long a missing consent may be a late one. Microsoft needs some 20 seconds."""


class NoAdministrator(ProofFailed):
    """The person who signed in may not consent for the tenant.

    Args:
        detail: a sentence that says what to do.
        oid: who it was, by their object id.
        name: their name, if they have one.
    """

    def __init__(self, detail: str, oid: str, name: str | None) -> None:
        super().__init__(detail)
        self.oid = oid
        self.name = name


def claimed_tenant(answer: Answer) -> TenantId:
    """The tenant that the consent response names, not proven yet.

    Raises:
        ConsentRefused: the response does not confirm the consent. The caller has handled its `error` before.
        ProofFailed: it names no tenant, or one without administrators.
    """
    if answer.admin_consent is None or answer.admin_consent.lower() != "true":
        raise ConsentRefused("Microsoft did not report a consent. Start again and accept on Microsoft's page.")
    try:
        tenant_id = TenantId(answer.tenant or "")
    except ValueError:
        raise ProofFailed("Microsoft's answer names no tenant. Start again from the control panel.") from None
    if tenant_id == PERSONAL_ACCOUNTS:
        raise ProofFailed(
            "This is a personal Microsoft account. Sign in with a work account that administers your organisation."
        )
    return tenant_id


def refused_consent(error: str, detail: str) -> Refusal:
    """The refusal for an error with which Microsoft answered the consent: a no, unless it cannot answer itself."""
    return Unavailable(detail) if error in _ITSELF else ConsentRefused(detail)


def refused_sign_in(error: str, reason: str, detail: str) -> Refusal:
    """The refusal for an error with which Microsoft answered the sign-in.

    Args:
        error: OAuth's error code.
        reason: `AADSTS` and the number, if it is a known one.
        detail: a sentence on who must do what.
    """
    if reason in _NOT_KNOWN_YET:
        return ConsentMissing(error, _NOT_KNOWN_YET[reason], detail)
    return refused_consent(error, detail)


def may_be_late(refusal: Refusal, waited: timedelta, *, asked_before: bool) -> bool:
    """Whether a refusal may only mean that Microsoft does not know yet, or cannot answer; else it is a clear no.

    Args:
        refusal: the refusal.
        waited: how long Microsoft has been late.
        asked_before: whether it was asked the same before.
    """
    if isinstance(refusal, Unavailable):
        return True
    if not isinstance(refusal, ProviderRefused):
        return False
    if refusal.code in _REDEEMED:
        return asked_before
    return waited < _PATIENCE and (isinstance(refusal, GraphForbidden) or refusal.code in _NOT_KNOWN_YET.values())


def prove_administrator(identity: VerifiedIdentity, tenant_id: TenantId) -> None:
    """Prove that the person who signed in may consent for this tenant.

    Raises:
        ProofFailed: they signed in at another tenant.
        NoAdministrator: they have no role that may consent.
    """
    if identity.tid != tenant_id or identity.tid == PERSONAL_ACCOUNTS:
        raise ProofFailed("You signed in to another organisation than the one that consented. Start again.")
    if not CONSENTING_ROLES.keys() & set(identity.wids):
        allowed = ", ".join(sorted(CONSENTING_ROLES.values()))
        raise NoAdministrator(
            "Your account holds no role that may consent for your organisation. Ask somebody who has one of these to "
            f"start the integration: {allowed}. A custom role does not count, because Microsoft does not report it.",
            identity.oid,
            identity.name,
        )


def prove_organization(organization: Organization, tenant_id: TenantId) -> None:
    """Prove that Graph responded for this tenant.

    Raises:
        ProofFailed: it responded for another one.
    """
    if organization.tenant_id != tenant_id:
        raise ProofFailed("Microsoft Graph answered for another organisation. Start again from the control panel.")


def prove_company(organization: Organization, listed: tuple[DomainName, ...] | None) -> None:
    """Prove that the tenant belongs to the account, as far as the vendor knows the account's domains.

    Raises:
        ProofFailed: it has verified none of them.
    """
    if listed and not {*listed} & {*organization.verified_domains}:
        raise ProofFailed(
            f"{organization.display_name} has verified none of the domains that the vendor lists for this account. An "
            "administrator who is a guest needs a link that names the organisation: ask the Security Manager to start "
            "again with its tenant. If this is the right organisation, ask the vendor to correct the list."
        )
