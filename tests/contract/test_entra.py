"""Sign-in, consent and organisations: the fake and local Entra keep the promises of the three ports."""

import base64
import hashlib
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import parse_qs, urlsplit

import pytest

from local.entra.hostile import Hostile
from shared.kernel.names import DomainName, TenantId
from shared.kernel.refusals import ProofFailed, Unavailable
from shared.ports.consent import Consent
from shared.ports.entra import ConsentMissing, ProviderRefused
from shared.ports.organizations import Organization, Organizations
from shared.ports.sign_in import EntraSignIn, SignInRequest, VerifiedIdentity
from tests.support.fakes import FakeEntra
from tests.support.real_parts import ADA, CALLBACK, CONTOSO, FABRIKAM, HOME, NOBODYS, RealEntra

GLOBAL_ADMINISTRATOR = "62e90394-69f5-4237-9190-012177145e10"
ADA_AS_ENTRA_SEES_HER = VerifiedIdentity(
    tid=CONTOSO,
    oid="c0c00000-0000-4000-8000-00000000ada0",
    name="Ada Admin",
    preferred_username=ADA,
    wids=(GLOBAL_ADMINISTRATOR,),
    email=ADA,
    xms_edov=True,
    acct=0,
)
CONTOSO_AS_GRAPH_SEES_IT = Organization(
    tenant_id=CONTOSO,
    display_name="Contoso",
    verified_domains=tuple(map(DomainName, ("contoso.example", "contoso-mail.example", "contoso.onmicrosoft.com"))),
)


class Entra(EntraSignIn, Consent, Organizations, Protocol):
    """What one adapter is."""


class World(Protocol):
    """Entra, and what happens around it."""

    provider: Entra

    def consent(self) -> None:
        """Contoso's administrator accepts."""

    def withdraw(self) -> None:
        """Contoso's administrator removes the service."""

    def code(self, request: SignInRequest) -> str:
        """Ada signs in, and this comes back."""

    def lose_credential(self) -> None:
        """The registration no longer believes that the service is who it says."""

    def fall_silent(self) -> None:
        """Nothing answers any more."""

    def recover(self) -> None:
        """Everything answers again."""


@dataclass
class FakeWorld:
    provider: FakeEntra = field(
        default_factory=lambda: FakeEntra(
            CONTOSO_AS_GRAPH_SEES_IT,
            Organization(tenant_id=FABRIKAM, display_name="Fabrikam", verified_domains=()),
            Organization(tenant_id=HOME, display_name="Vendor", verified_domains=()),
        )
    )

    def consent(self) -> None:
        self.provider.consented.add(CONTOSO)

    def withdraw(self) -> None:
        self.provider.consented.remove(CONTOSO)

    def code(self, request: SignInRequest) -> str:
        return self.provider.sign_in(request.url, ADA_AS_ENTRA_SEES_HER)

    def lose_credential(self) -> None:
        self.provider.credential_holds = False

    def fall_silent(self) -> None:
        self.provider.available = False

    def recover(self) -> None:
        self.provider.available = True


@dataclass
class RealWorld:
    real: RealEntra

    @property
    def provider(self) -> Entra:
        return self.real.provider

    def consent(self) -> None:
        self.real.consent()

    def withdraw(self) -> None:
        self.real.entra.cloud.consents.clear()

    def code(self, request: SignInRequest) -> str:
        return self.real.code(request)

    def lose_credential(self) -> None:
        self.real.renew_secret()

    def fall_silent(self) -> None:
        self.real.entra.cloud.hostile = Hostile(token_status=503, discovery_status=503, graph_status=503)

    def recover(self) -> None:
        self.real.entra.cloud.hostile = Hostile()


@pytest.fixture(params=["fake", "entra"])
def world(request: pytest.FixtureRequest) -> World:
    return FakeWorld() if request.param == "fake" else RealWorld(request.getfixturevalue("real_entra"))


def query_of(url: str) -> dict[str, str]:
    return {name: value for name, (value,) in parse_qs(urlsplit(url).query, strict_parsing=True).items()}


async def begun(world: World) -> SignInRequest:
    """A sign-in at Contoso, which has consented."""
    world.consent()
    return await world.provider.begin_sign_in(CONTOSO, CALLBACK, "the-state", prompt="select_account")


async def finished(
    world: World,
    request: SignInRequest,
    code: str,
    *,
    tenant_id: TenantId = CONTOSO,
    redirect_uri: str = CALLBACK,
    verifier: str | None = None,
    nonce: str | None = None,
) -> VerifiedIdentity:
    return await world.provider.finish_sign_in(
        tenant_id, redirect_uri, code, verifier or request.code_verifier, nonce or request.nonce
    )


def test_consent_is_asked_of_any_organisation_with_our_state(world: World) -> None:
    url = world.provider.admin_consent_url(CALLBACK, "a state & more")
    assert urlsplit(url).path == "/organizations/v2.0/adminconsent"
    query = query_of(url)
    assert (query["redirect_uri"], query["state"]) == (CALLBACK, "a state & more")


def test_consent_is_asked_of_the_organisation_that_is_named(world: World) -> None:
    url = world.provider.admin_consent_url(CALLBACK, "the-state", CONTOSO)
    assert urlsplit(url).path == f"/{CONTOSO}/v2.0/adminconsent"


async def test_an_organisation_is_found_by_its_id_and_by_each_of_its_domains(world: World) -> None:
    for name in (CONTOSO, *CONTOSO_AS_GRAPH_SEES_IT.verified_domains):
        assert await world.provider.find_tenant(name) == CONTOSO
    for name in (NOBODYS, DomainName("nobody.example")):
        assert await world.provider.find_tenant(name) is None
    world.fall_silent()
    with pytest.raises(Unavailable):
        await world.provider.find_tenant(CONTOSO)


async def test_a_sign_in_is_asked_of_one_tenant_with_state_nonce_and_challenge(world: World) -> None:
    request = await begun(world)
    assert urlsplit(request.url).path == f"/{CONTOSO}/oauth2/v2.0/authorize"
    query = query_of(request.url)
    digest = hashlib.sha256(request.code_verifier.encode()).digest()
    assert query["code_challenge"] == base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    assert (query["redirect_uri"], query["state"]) == (CALLBACK, "the-state")
    assert query["nonce"]
    assert request.code_verifier not in request.url


async def test_no_two_sign_ins_share_a_secret(world: World) -> None:
    one, other = await begun(world), await begun(world)
    assert one.code_verifier != other.code_verifier
    assert one.nonce != other.nonce


async def test_a_code_tells_who_signed_in(world: World) -> None:
    request = await begun(world)
    identity = await finished(world, request, world.code(request))
    of_the_session = {"wids", "sid", "login_hint", "auth_time"}
    seen = identity.model_dump(exclude=of_the_session)
    assert seen == ADA_AS_ENTRA_SEES_HER.model_dump(exclude=of_the_session)
    assert GLOBAL_ADMINISTRATOR in identity.wids


async def test_a_code_is_redeemed_once(world: World) -> None:
    request = await begun(world)
    code = world.code(request)
    await finished(world, request, code)
    with pytest.raises(ProviderRefused) as refused:
        await finished(world, request, code)
    assert (refused.value.error, refused.value.code) == ("invalid_grant", 54005)


async def test_a_code_is_bound_to_its_sign_in(world: World) -> None:
    request, other = await begun(world), await begun(world)
    with pytest.raises(ProviderRefused):
        await finished(world, request, world.code(request), verifier=other.code_verifier)
    with pytest.raises(ProviderRefused):
        await finished(world, request, world.code(request), redirect_uri=f"{CALLBACK}/elsewhere")
    with pytest.raises(ProviderRefused):
        await finished(world, request, world.code(request), tenant_id=FABRIKAM)
    with pytest.raises(ProofFailed):
        await finished(world, request, world.code(request), nonce=other.nonce)


async def test_a_code_that_was_made_up_is_refused(world: World) -> None:
    with pytest.raises(ProviderRefused):
        await finished(world, await begun(world), "made-up")


async def test_there_is_no_sign_in_at_a_tenant_that_does_not_exist(world: World) -> None:
    with pytest.raises(ProviderRefused) as refused:
        await world.provider.begin_sign_in(NOBODYS, CALLBACK, "the-state", prompt="select_account")
    assert (refused.value.error, refused.value.code) == ("invalid_tenant", 90002)


async def test_an_organisation_that_consented_is_read(world: World) -> None:
    world.consent()
    organization = await world.provider.read_organization(CONTOSO)
    assert organization.model_copy(update={"service_principal": None}) == CONTOSO_AS_GRAPH_SEES_IT


async def test_an_organisation_is_read_as_long_as_it_consents(world: World) -> None:
    """Nothing is remembered: consent given a moment ago is seen, and so is consent withdrawn."""
    for _ in range(2):
        with pytest.raises(ConsentMissing):
            await world.provider.read_organization(CONTOSO)
        world.consent()
        await world.provider.read_organization(CONTOSO)
        world.withdraw()
    with pytest.raises(ConsentMissing) as refused:
        await world.provider.read_organization(CONTOSO)
    assert (refused.value.error, refused.value.code) == ("unauthorized_client", 700016)


async def test_an_organisation_that_does_not_exist_has_not_consented(world: World) -> None:
    with pytest.raises(ConsentMissing):
        await world.provider.read_organization(NOBODYS)


async def test_at_home_the_credential_proves_itself_without_consent(world: World) -> None:
    await world.provider.probe_credential(HOME)
    world.lose_credential()
    with pytest.raises(Unavailable):
        await world.provider.probe_credential(HOME)


async def test_a_home_tenant_that_does_not_exist_proves_no_credential(world: World) -> None:
    with pytest.raises(Unavailable):
        await world.provider.probe_credential(NOBODYS)


async def test_silence_is_nobodys_refusal_and_passes(world: World) -> None:
    request = await begun(world)
    code = world.code(request)
    world.fall_silent()
    for call in (
        lambda: finished(world, request, code),
        lambda: world.provider.begin_sign_in(FABRIKAM, CALLBACK, "the-state", prompt="select_account"),
        lambda: world.provider.read_organization(CONTOSO),
        world.provider.probe,
        lambda: world.provider.probe_credential(HOME),
    ):
        with pytest.raises(Unavailable):
            await call()
    world.recover()
    await world.provider.probe()
    assert (await world.provider.read_organization(CONTOSO)).display_name == "Contoso"
    assert (await finished(world, request, code)).oid == ADA_AS_ENTRA_SEES_HER.oid


def test_an_explanation_never_repeats_what_was_said(world: World) -> None:
    told = world.provider.explain("no_such_error", "AADSTS99999: ada@contoso.example did something")
    assert "ada" not in told
    assert "Microsoft" in told


def test_what_an_answer_is_counted_by_is_a_known_number_or_nothing_that_was_said(world: World) -> None:
    assert world.provider.reason("access_denied", "AADSTS65004: ada@contoso.example declined") == "AADSTS65004"
    assert world.provider.reason("made_up_by_a_browser", "AADSTS123456: ada@contoso.example") == "unknown"
