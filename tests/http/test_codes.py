"""Codes that are shown twice, late or elsewhere, and sign-ins that pass through several instances."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import timedelta
from threading import Barrier

import httpx
import pytest

from local import loopback
from local.entra.server import LocalEntra
from local.processes import free_port
from tests.http.conftest import Caller
from tests.http.signing_in import ALICE, Asked, Person, Register, answered, claims_of, redeem
from tests.support.service import RunningService, settings_for

SCOPE = "openid email profile offline_access"


@pytest.fixture(autouse=True)
def _may_renew(unite: Asked, register: Register) -> None:
    register(refreshTokens=True).raise_for_status()


@pytest.fixture
def instances(service: RunningService, entra: LocalEntra) -> Iterator[list[str]]:
    """Where three instances of the service are, on one store."""
    ports = [free_port(), free_port()]
    with ExitStack() as stack:
        for port in ports:
            chosen = settings_for(service.url, service.connection_string, entra)
            other = stack.enter_context(RunningService(port, chosen))
            other.clock.ahead = service.clock.ahead
        yield [service.url, *(f"http://localhost:{port}" for port in ports)]


def redeem_at(instance: str, form: dict[str, str]) -> httpx.Response:
    return loopback.post(f"{instance}/oauth2/token", data=form, timeout=30)


def error_of(response: httpx.Response) -> str | None:
    return response.json().get("error") if response.status_code == 400 else None


def must_have_ended(service: RunningService, tokens: dict[str, str]) -> None:
    """The refresh token and, for as long as it would live, the access token."""
    form = {"grant_type": "refresh_token", "client_id": "unite", "refresh_token": tokens["refresh_token"]}
    assert error_of(redeem(service, form)) == "invalid_grant"
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert loopback.get(f"{service.url}/oauth2/userinfo", headers=bearer).status_code == 401


def test_a_sign_in_passes_through_as_many_instances_as_it_has_steps(
    contoso: Caller, unite: Asked, person: Person, service: RunningService, instances: list[str]
) -> None:
    first, second, third = instances
    for begun, back, redeemed in ((first, second, third), (first, second, first), (second, second, first)):
        away = person.open(unite.address(begun))
        answer = person.sign_in_at_microsoft(str(away.headers["location"]))
        code = answered(person.open(answer.replace(first, back)))["code"]
        tokens = redeem_at(redeemed, unite.redemption(code)).raise_for_status().json()
        assert claims_of(service, tokens["id_token"])["email"] == ALICE


@pytest.mark.parametrize("of", [1, 2], ids=["one instance", "two instances"])
def test_of_two_callers_who_show_a_code_at_once_one_gets_tokens_which_end(
    contoso: Caller, unite: Asked, person: Person, service: RunningService, instances: list[str], of: int
) -> None:
    form, together = unite.redemption(person.sign_in(unite, scope=SCOPE)["code"]), Barrier(2)

    def show(number: int) -> httpx.Response:
        together.wait()
        return redeem_at(instances[number % of], form)

    with ThreadPoolExecutor(2) as callers:
        answers = [*callers.map(show, range(2))]
    assert sorted(answer.status_code for answer in answers) == [200, 400]
    assert {error_of(answer) for answer in answers} == {None, "invalid_grant"}
    must_have_ended(service, next(answer.json() for answer in answers if answer.is_success))


def test_a_code_that_is_shown_again_hours_later_still_ends_what_it_has_bought(
    contoso: Caller, unite: Asked, person: Person, service: RunningService
) -> None:
    form = unite.redemption(person.sign_in(unite, scope=SCOPE)["code"])
    tokens = redeem(service, form).raise_for_status().json()
    service.clock.advance(timedelta(hours=3))
    assert error_of(redeem(service, form)) == "invalid_grant"
    must_have_ended(service, tokens)


@pytest.mark.parametrize("scope", ["openid", SCOPE])
def test_a_code_of_somebody_who_was_erased_buys_nothing(
    contoso: Caller, unite: Asked, person: Person, service: RunningService, scope: str
) -> None:
    form = unite.redemption(person.sign_in(unite, scope=scope)["code"])
    contoso("POST", "/v1/accounts/acme/people/erase", json={"email": ALICE}).raise_for_status()
    assert error_of(redeem(service, form)) == "invalid_grant"
    left = {row["RowKey"].partition(":")[0] for row in service.rows("flows")}
    assert left.isdisjoint({"session", "family", "family-of"})
