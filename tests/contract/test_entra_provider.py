"""The adapter to Entra: what a hostile answer proves, and whose fault a refusal is."""

import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, nullcontext
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import pytest

from local.entra.forgery import Forgery
from local.entra.hostile import Hostile
from local.entra.server import LocalEntra
from shared.adapters.entra import id_tokens
from shared.adapters.entra.id_tokens import IdTokens
from shared.adapters.entra.token_requests import granted
from shared.adapters.web import Web
from shared.kernel.refusals import ProofFailed, Unavailable
from shared.ports.entra import ConsentMissing, GraphForbidden, ProviderRefused
from shared.ports.sign_in import SignInRequest, VerifiedIdentity
from tests.support.fakes import FixedClock
from tests.support.real_parts import (
    CALLBACK,
    CLIENT_ID,
    CONTOSO,
    FABRIKAM,
    NOBODYS,
    RealEntra,
    clients_on,
    provider_on,
)

HOUR = 3600
STRANGER = "00000000-0000-4000-8000-00000000dead"


async def begun(real_entra: RealEntra) -> SignInRequest:
    real_entra.consent()
    return await real_entra.provider.begin_sign_in(CONTOSO, CALLBACK, "the-state", prompt="select_account")


async def signed_in(real_entra: RealEntra, hostile: Hostile | None = None) -> VerifiedIdentity:
    """Ada signs in at Contoso while Entra is as hostile as asked."""
    request = await begun(real_entra)
    code = real_entra.code(request)
    real_entra.entra.cloud.hostile = hostile or Hostile()
    return await real_entra.provider.finish_sign_in(CONTOSO, CALLBACK, code, request.code_verifier, request.nonce)


async def test_an_honest_token_proves_who_signed_in(real_entra: RealEntra) -> None:
    assert (await signed_in(real_entra)).preferred_username == "ada@contoso.example"


@pytest.mark.parametrize("forgery", get_args(Forgery.__value__))
async def test_a_forged_signature_proves_nothing(real_entra: RealEntra, forgery: Forgery) -> None:
    with pytest.raises(ProofFailed):
        await signed_in(real_entra, Hostile(id_token_signature=forgery))


@pytest.mark.parametrize("claim", ["iss", "aud", "exp", "nbf", "iat", "sub", "nonce", "tid", "oid"])
async def test_a_token_that_lacks_a_claim_proves_nothing(real_entra: RealEntra, claim: str) -> None:
    with pytest.raises(ProofFailed):
        await signed_in(real_entra, Hostile(id_token={claim: None}))


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": f"https://login.microsoftonline.com/{CONTOSO}/v2.0"},
        {"aud": STRANGER},
        {"aud": [STRANGER]},
        {"nonce": "another"},
        {"tid": FABRIKAM},
        {"tid": "not-a-guid"},
        {"oid": 5},
        {"exp": 1_000_000_000},
        {"nbf": 4_000_000_000},
        {"iat": 4_000_000_000},
        {"wids": "62e90394-69f5-4237-9190-012177145e10"},
        *(
            {"auth_time": time}
            for time in ("1767225600", "2026-01-01T00:00:00Z", True, 1767225600.5, 0, -1, 10**12, [])
        ),
    ],
    ids=str,
)
async def test_a_token_that_says_something_else_proves_nothing(real_entra: RealEntra, claims: dict[str, Any]) -> None:
    with pytest.raises(ProofFailed):
        await signed_in(real_entra, Hostile(id_token=claims))


async def test_a_token_of_another_tenant_proves_nothing_here(real_entra: RealEntra) -> None:
    """Signed by Entra, made out to us, for this sign-in: only the issuer is another tenant's."""
    issuer = real_entra.entra.cloud.addresses.issuer(FABRIKAM)
    with pytest.raises(ProofFailed):
        await signed_in(real_entra, Hostile(id_token={"iss": issuer, "tid": FABRIKAM}))


@pytest.mark.parametrize("ahead", [-2 * HOUR, 2 * HOUR], ids=["expired", "not yet valid"])
async def test_a_token_of_another_time_proves_nothing(real_entra: RealEntra, ahead: float) -> None:
    real_entra.entra.cloud.hostile = Hostile(clock_offset=ahead)
    request = await begun(real_entra)
    code = real_entra.code(request)
    with pytest.raises(ProofFailed):
        await real_entra.provider.finish_sign_in(CONTOSO, CALLBACK, code, request.code_verifier, request.nonce)


async def test_a_clock_that_is_a_little_off_is_forgiven(real_entra: RealEntra) -> None:
    assert (await signed_in(real_entra, Hostile(clock_offset=15))).tid == CONTOSO


async def test_entras_keys_may_roll_over(real_entra: RealEntra) -> None:
    await signed_in(real_entra)
    real_entra.entra.cloud.keys.roll_over()
    assert (await signed_in(real_entra)).tid == CONTOSO


async def test_the_keys_of_so_many_tenants_are_remembered(
    entra: LocalEntra, web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(id_tokens, "_TENANTS_REMEMBERED", 1)
    verifier = IdTokens(authority=entra.https, client_id=CLIENT_ID, web=web, clock=FixedClock(entra.cloud.now()))
    for tenant_id in (CONTOSO, FABRIKAM):
        with pytest.raises(ProofFailed):
            await verifier.verify(entra.cloud.keys.sign({}), tenant_id, "nonce")
    assert [*verifier._keys] == [FABRIKAM]


async def test_a_token_says_when_the_person_signed_in(real_entra: RealEntra) -> None:
    asked_at = datetime.now(UTC).replace(microsecond=0)
    signed_in_at = (await signed_in(real_entra)).auth_time
    assert signed_in_at is not None
    assert timedelta() <= signed_in_at - asked_at <= timedelta(minutes=1)


@pytest.mark.parametrize("seconds", [1, 253_402_214_400])
async def test_auth_time_is_in_seconds_however_many(real_entra: RealEntra, seconds: int) -> None:
    identity = await signed_in(real_entra, Hostile(id_token={"auth_time": seconds}))
    assert identity.auth_time == datetime.fromtimestamp(seconds, UTC)


async def test_a_token_need_not_say_when_the_person_signed_in(real_entra: RealEntra) -> None:
    assert (await signed_in(real_entra, Hostile(id_token={"auth_time": None}))).auth_time is None


# -- the sign-in request -----------------------------------------------------------------------------------------------


async def test_the_code_comes_back_by_a_request_that_carries_our_cookie(real_entra: RealEntra) -> None:
    """A cross-site POST would not: https://www.rfc-editor.org/rfc/rfc6265bis."""
    url = (await begun(real_entra)).url
    assert "response_mode=query" in url
    assert "form_post" not in url


async def test_a_person_chooses_the_account_and_no_refresh_token_is_asked_for(real_entra: RealEntra) -> None:
    url = (await begun(real_entra)).url
    assert "prompt=select_account" in url
    assert "offline_access" not in url


def test_consent_is_asked_for_everything_at_once(real_entra: RealEntra) -> None:
    url = real_entra.provider.admin_consent_url(CALLBACK, "s")
    assert url.startswith(f"{real_entra.entra.http}/organizations/v2.0/adminconsent?client_id={CLIENT_ID}&")
    assert ".default" in url


# -- whose fault it is -------------------------------------------------------------------------------------------------


async def test_a_refused_credential_of_ours_is_not_a_customers_refusal(
    entra: LocalEntra, web: Web, caplog: pytest.LogCaptureFixture
) -> None:
    real_entra = RealEntra(entra, provider_on(entra, web, clients_on(entra, web, "another-secret")))
    real_entra.consent()
    with caplog.at_level(logging.ERROR), pytest.raises(Unavailable) as refused:
        await real_entra.provider.read_organization(CONTOSO)
    assert "The vendor's operators must fix this" in refused.value.detail
    assert refused.value.retry_after == 30
    assert "error=invalid_client AADSTS7000215" in caplog.text
    assert "another-secret" not in caplog.text


async def test_a_tenant_that_vanished_has_not_consented(real_entra: RealEntra) -> None:
    """MSAL knows the tenant from before, so the token endpoint is the first to say that it is gone."""
    real_entra.consent()
    await real_entra.provider.read_organization(CONTOSO)
    cloud = real_entra.entra.cloud
    others = [tenant for tenant in cloud.directory.tenants if tenant.tenant_id != CONTOSO]
    cloud.directory = cloud.directory.model_copy(update={"tenants": tuple(others)})
    with pytest.raises(ConsentMissing) as refused:
        await real_entra.provider.read_organization(CONTOSO)
    assert not isinstance(refused.value, GraphForbidden)
    assert (refused.value.error, refused.value.code) == ("invalid_tenant", 90002)


async def test_consent_that_is_too_narrow_is_missing(real_entra: RealEntra) -> None:
    real_entra.entra.cloud.grant(CONTOSO, ["User.Read"], [])
    with pytest.raises(GraphForbidden) as refused:
        await real_entra.provider.read_organization(CONTOSO)
    assert "Ask an administrator" in refused.value.detail


@pytest.mark.parametrize("status", [500, 503, 429])
async def test_graph_out_of_order_takes_no_consent_away(real_entra: RealEntra, status: int) -> None:
    real_entra.consent()
    real_entra.entra.cloud.hostile = Hostile(graph_status=status)
    with pytest.raises(Unavailable):
        await real_entra.provider.read_organization(CONTOSO)


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_a_token_endpoint_out_of_order_takes_no_consent_away(real_entra: RealEntra, status: int) -> None:
    real_entra.consent()
    real_entra.entra.cloud.hostile = Hostile(token_status=status)
    with pytest.raises(Unavailable):
        await real_entra.provider.read_organization(CONTOSO)


@pytest.mark.parametrize("status", [400, 404, 429, 500, 503])
async def test_discovery_out_of_order_does_not_look_like_a_tenant_that_is_not_there(
    real_entra: RealEntra, status: int
) -> None:
    real_entra.entra.cloud.hostile = Hostile(discovery_status=status)
    with pytest.raises(Unavailable):
        await real_entra.provider.begin_sign_in(FABRIKAM, CALLBACK, "the-state", prompt="select_account")
    with pytest.raises(Unavailable):
        await real_entra.provider.probe()


async def test_a_home_that_does_not_know_the_service_says_what_to_do(
    real_entra: RealEntra, caplog: pytest.LogCaptureFixture
) -> None:
    """Contoso stands for a home tenant whose operator has made the registration without its service principal."""
    with pytest.raises(Unavailable, match="az ad sp create"):
        await real_entra.provider.probe_credential(CONTOSO)
    assert "Entra refuses this service: error=unauthorized_client AADSTS700016" in caplog.text


async def test_what_graph_says_of_another_tenant_is_handed_on_as_such(real_entra: RealEntra) -> None:
    """Whoever asked compares: see the proof of a connection."""
    real_entra.consent()
    real_entra.entra.cloud.hostile = Hostile(graph_tenant=FABRIKAM)
    assert (await real_entra.provider.read_organization(CONTOSO)).tenant_id == FABRIKAM


ORGANIZATION = {"id": CONTOSO, "displayName": "Contoso", "verifiedDomains": [{"name": "contoso.example"}]}


@pytest.mark.parametrize(
    "document",
    [
        {},
        [],
        None,
        {"value": []},
        {"value": [ORGANIZATION, ORGANIZATION]},
        {"value": [{"id": CONTOSO}]},
        {"value": [ORGANIZATION | {"verifiedDomains": []}]},
    ],
    ids=["empty", "list", "null", "nobody", "two", "part", "without its initial domain"],
)
async def test_graph_in_another_form_is_no_answer(entra: LocalEntra, document: object) -> None:
    with pytest.raises(Unavailable):
        await read_from_graph(entra, document)


async def test_names_that_dns_cannot_have_are_left_out(entra: LocalEntra) -> None:
    names = ["contoso.example", "under_score.example", "localhost", "", "Contoso.Example.", "CONTOSO-MAIL.example"]
    document = {"value": [ORGANIZATION | {"verifiedDomains": [{"name": name} for name in names]}]}
    assert await read_from_graph(entra, document) == ("contoso.example", "contoso-mail.example")


class OtherWeb(Web):
    """The real web, but for addresses that hold `part`, which give one answer."""

    def __init__(self, entra: LocalEntra, part: str, status: int, document: object) -> None:
        super().__init__("Microsoft", str(entra.ca_file))
        self._part = part
        self._answer = status, document

    async def get_json(self, url: str, headers: Mapping[str, str] | None = None) -> tuple[int, Any]:
        return self._answer if self._part in url else await super().get_json(url, headers)


@asynccontextmanager
async def entra_on(web: Web, entra: LocalEntra) -> AsyncIterator[RealEntra]:
    real = RealEntra(entra, provider_on(entra, web, clients_on(entra, web)))
    real.consent()
    try:
        yield real
    finally:
        await web.close()


async def read_from_graph(entra: LocalEntra, document: object) -> tuple[str, ...]:
    """The verified domains, when Graph answers with this document."""
    async with entra_on(OtherWeb(entra, "/v1.0/", 200, document), entra) as real:
        return (await real.provider.read_organization(CONTOSO)).verified_domains


async def test_discovery_that_msal_cannot_read_is_not_a_tenant_that_is_not_there(entra: LocalEntra) -> None:
    entra.cloud.hostile = Hostile(discovery_status=400)
    async with entra_on(OtherWeb(entra, "openid-configuration", 200, {"issuer": "somebody"}), entra) as real:
        with pytest.raises(Unavailable):
            await real.provider.begin_sign_in(CONTOSO, CALLBACK, "the-state", prompt="select_account")


@pytest.mark.parametrize("document", [{}, {"issuer": "https://entra.example/"}, {"issuer": 1}, [], {"error": "other"}])
async def test_metadata_without_a_tenant_names_none_and_is_not_a_tenant_that_is_not_there(
    entra: LocalEntra, document: object
) -> None:
    async with entra_on(OtherWeb(entra, "openid-configuration", 200, document), entra) as real:
        with pytest.raises(Unavailable):
            await real.provider.find_tenant(CONTOSO)


async def test_an_authority_without_discovery_is_found_out(entra: LocalEntra) -> None:
    async with entra_on(OtherWeb(entra, "openid-configuration", 404, {"error": "none"}), entra) as real:
        with pytest.raises(Unavailable, match="SSO_ENTRA_AUTHORITY"):
            await real.provider.probe()


def token_of_contoso(entra: LocalEntra, nonce: str) -> str:
    now = entra.cloud.now().timestamp()
    claims = {
        "aud": CLIENT_ID,
        "iss": entra.cloud.addresses.issuer(CONTOSO),
        "tid": CONTOSO,
        "oid": STRANGER,
        "sub": "s",
    }
    return entra.cloud.keys.sign(claims | {"iat": now, "nbf": now, "exp": now + HOUR, "nonce": nonce})


async def test_the_nonce_is_looked_at_whatever_msal_does(entra: LocalEntra, web: Web) -> None:
    verifier = IdTokens(authority=entra.https, client_id=CLIENT_ID, web=web, clock=FixedClock(entra.cloud.now()))
    token = token_of_contoso(entra, "one")
    assert (await verifier.verify(token, CONTOSO, "one")).oid == STRANGER
    with pytest.raises(ProofFailed):
        await verifier.verify(token, CONTOSO, "other")


@pytest.mark.parametrize(("named", "believed"), [("{tenantid}", True), (CONTOSO, True), (FABRIKAM, False)])
async def test_a_key_signs_for_its_tenant_or_for_any(entra: LocalEntra, named: str, *, believed: bool) -> None:
    """https://learn.microsoft.com/entra/identity-platform/access-tokens#validate-the-issuer."""
    keys = [key.jwk() | {"issuer": entra.cloud.addresses.issuer(named)} for key in entra.cloud.keys.published]
    web = OtherWeb(entra, "/discovery/v2.0/keys", 200, {"keys": keys})
    verifier = IdTokens(authority=entra.https, client_id=CLIENT_ID, web=web, clock=FixedClock(entra.cloud.now()))
    with nullcontext() if believed else pytest.raises(ProofFailed):
        await verifier.verify(token_of_contoso(entra, "one"), CONTOSO, "one")
    await web.close()


@pytest.mark.parametrize("tenant_id", [NOBODYS, FABRIKAM])
async def test_a_code_of_one_tenant_is_refused_at_another(real_entra: RealEntra, tenant_id: str) -> None:
    request = await begun(real_entra)
    code = real_entra.code(request)
    with pytest.raises(ProviderRefused):
        await real_entra.provider.finish_sign_in(tenant_id, CALLBACK, code, request.code_verifier, request.nonce)


def test_an_entra_that_is_asked_too_often_does_not_look_like_a_customer_who_says_no() -> None:
    """AADSTS50196 comes dressed as `invalid_grant`, and would send a whole company back to the password."""
    loop = {"error": "invalid_grant", "error_description": "AADSTS50196: The server terminated an operation."}
    with pytest.raises(Unavailable):
        granted(loop, "access_token", ConsentMissing)
    gone = {"error": "invalid_grant", "error_description": "AADSTS65001: Nobody has consented."}
    with pytest.raises(ConsentMissing):
        granted(gone, "access_token", ConsentMissing)
