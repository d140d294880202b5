"""The rules of the proof, as a table."""

import pytest

from shared.connection.proof import CONSENTING_ROLES, claimed_tenant, prove_administrator, prove_organization
from shared.kernel.names import PERSONAL_ACCOUNTS, TenantId
from shared.kernel.refusals import ConsentRefused, ProofFailed
from shared.ports.entra import Answer
from shared.ports.organizations import Organization
from shared.ports.sign_in import VerifiedIdentity

CONTOSO = TenantId("c0c00000-0000-4000-8000-000000000000")
ATTACKER = TenantId("bad00000-0000-4000-8000-000000000000")
EVERY_MEMBER = "b79fbf4d-3ef9-4689-8143-76b194e85509"
GLOBAL_READER = "f2ef992c-3afb-46b9-b7cf-a126ee74c451"
APPLICATION_ADMINISTRATOR = "9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3"
CLOUD_APPLICATION_ADMINISTRATOR = "158c047a-c907-4556-b7ef-446551a6b5f7"
GLOBAL_ADMINISTRATOR = "62e90394-69f5-4237-9190-012177145e10"


def identity(tid: TenantId = CONTOSO, *wids: str) -> VerifiedIdentity:
    return VerifiedIdentity(tid=tid, oid="somebody", wids=wids)


@pytest.mark.parametrize("admin_consent", ["True", "true", "TRUE"])
@pytest.mark.parametrize("tenant", [CONTOSO, CONTOSO.upper()])
def test_a_consent_claims_the_tenant_that_it_names(admin_consent: str, tenant: str) -> None:
    assert claimed_tenant(Answer(admin_consent=admin_consent, tenant=tenant)) == CONTOSO


@pytest.mark.parametrize("admin_consent", [None, "", "False", "1", "yes", "True ", "TrueTrue"])
def test_what_does_not_say_that_consent_was_given_is_none(admin_consent: str | None) -> None:
    with pytest.raises(ConsentRefused):
        claimed_tenant(Answer(admin_consent=admin_consent, tenant=CONTOSO))


@pytest.mark.parametrize(
    "tenant",
    [
        None,
        "",
        "common",
        "organizations",
        "contoso.example",
        f"{CONTOSO}/../{ATTACKER}",
        f"{CONTOSO},{ATTACKER}",
        f"{{{CONTOSO}}}",
        CONTOSO.replace("-", ""),
        CONTOSO.replace("0", "\u0660"),
        PERSONAL_ACCOUNTS,
        PERSONAL_ACCOUNTS.upper(),
    ],
)
def test_what_names_no_organisation_claims_none(tenant: str | None) -> None:
    with pytest.raises(ProofFailed):
        claimed_tenant(Answer(admin_consent="True", tenant=tenant))


@pytest.mark.parametrize("tenant", [CONTOSO, CONTOSO.upper(), f"{CONTOSO} ", f"{CONTOSO}\n"])
def test_space_and_case_around_an_organisation_claim_no_other(tenant: str) -> None:
    assert claimed_tenant(Answer(admin_consent="True", tenant=tenant)) == CONTOSO


@pytest.mark.parametrize("role", CONSENTING_ROLES, ids=CONSENTING_ROLES.get)
def test_each_role_that_may_consent_proves_it(role: str) -> None:
    prove_administrator(identity(CONTOSO, EVERY_MEMBER, role), CONTOSO)


@pytest.mark.parametrize(
    "wids",
    [
        (),
        (EVERY_MEMBER,),
        (EVERY_MEMBER, GLOBAL_READER),
        (APPLICATION_ADMINISTRATOR, CLOUD_APPLICATION_ADMINISTRATOR),
        (GLOBAL_ADMINISTRATOR[:-1],),
        ("",),
    ],
)
def test_no_other_role_does(wids: tuple[str, ...]) -> None:
    with pytest.raises(ProofFailed, match="Global Administrator"):
        prove_administrator(identity(CONTOSO, *wids), CONTOSO)


@pytest.mark.parametrize(
    ("signed_in_at", "consented"),
    [(ATTACKER, CONTOSO), (PERSONAL_ACCOUNTS, CONTOSO), (PERSONAL_ACCOUNTS, PERSONAL_ACCOUNTS)],
)
def test_an_administrator_of_another_organisation_proves_nothing(signed_in_at: TenantId, consented: TenantId) -> None:
    with pytest.raises(ProofFailed):
        prove_administrator(identity(signed_in_at, GLOBAL_ADMINISTRATOR), consented)


def test_the_organisation_that_answers_must_be_the_tenant() -> None:
    organization = Organization(tenant_id=CONTOSO, display_name="Contoso", verified_domains=())
    prove_organization(organization, CONTOSO)
    with pytest.raises(ProofFailed):
        prove_organization(organization, ATTACKER)
