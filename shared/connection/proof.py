"""The rules that prove whose consent it is, as pure code. Everything that is not proven is refused.

The `tenant` parameter of a consent response can be forged and proves nothing; it only names where to find the proof:
1. the response has our state, which `shared.flows` redeems once and for one browser;
2. `error` is read before `admin_consent`, because Entra sets `admin_consent=True` beside an error, too;
3. a sign-in at `/{tenant}/` shows who consented: `tid` must be that tenant, `wids` must have a role that may consent;
4. an app-only token of that tenant is issued, and Graph's organization is that tenant.
"""

from shared.kernel.names import PERSONAL_ACCOUNTS, TenantId
from shared.kernel.refusals import ConsentRefused, ProofFailed
from shared.ports.entra import Answer
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


def prove_administrator(identity: VerifiedIdentity, tenant_id: TenantId) -> None:
    """Prove that the person who signed in may consent for this tenant.

    Raises:
        ProofFailed: they signed in at another tenant, or have no role that may consent.
    """
    if identity.tid != tenant_id or identity.tid == PERSONAL_ACCOUNTS:
        raise ProofFailed("You signed in to another organisation than the one that consented. Start again.")
    if not CONSENTING_ROLES.keys() & set(identity.wids):
        allowed = ", ".join(sorted(CONSENTING_ROLES.values()))
        raise ProofFailed(
            "Your account holds no role that may consent for your organisation. Ask somebody who has one of these to "
            f"start the integration: {allowed}. A custom role does not count, because Microsoft does not report it."
        )


def prove_organization(organization: Organization, tenant_id: TenantId) -> None:
    """Prove that Graph responded for this tenant.

    Raises:
        ProofFailed: it responded for another one.
    """
    if organization.tenant_id != tenant_id:
        raise ProofFailed("Microsoft Graph answered for another organisation. Start again from the control panel.")
