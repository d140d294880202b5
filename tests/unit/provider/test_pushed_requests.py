"""Pushed requests where the store fails, and where pages repeat them."""

from urllib.parse import parse_qs, urlsplit

import pytest

from shared.kernel.refusals import Unavailable
from shared.ports.entra import Answer
from shared.provider.authorization_response import EmailForm, ErrorPage, RedirectToEntra
from shared.provider.parameters import Parameters
from tests.support.disturbances import Disturbance
from tests.unit.provider.test_authorization_request import GOOD
from tests.unit.provider.world import ALICE, Provider, sent


async def pushed(provider: Provider, **changes: str) -> Parameters:
    """The name of a request, as a browser brings it."""
    await provider.switch_on()
    await provider.add()
    client = await provider.clients.authenticate(None, sent(client_id="unite"))
    found = await provider.services.provider.pushed.push(client, sent(**GOOD | changes))
    assert found.expires_in == 90
    return sent(client_id="unite", request_uri=found.request_uri)


async def test_who_was_refused_hears_why_although_the_store_does_not_keep_the_link() -> None:
    """The page loses its link to try again, and nothing else."""
    offered = set[bool]()
    for k in range(1, 20):
        world = Provider()
        away = await world.sign_in.authorize(await pushed(world, login_hint=ALICE.address))
        assert isinstance(away, RedirectToEntra)
        (state,) = parse_qs(urlsplit(away.url).query)["state"]
        answer = Answer(state=state, error="access_denied", error_description="AADSTS65004")
        world.script.disturb(k, Disturbance.NOT_MADE)
        try:
            page = await world.script.play(lambda: world.sign_in.callback(answer, away.binding.secret))  # noqa: B023
        except Unavailable:
            continue
        assert isinstance(page, ErrorPage)
        assert page.refusal.reason == "AADSTS65004"
        offered.add(page.again_url is not None)
    assert offered == {True, False}


async def test_a_link_to_try_again_is_a_new_name_for_the_request_as_it_has_to_be(provider: Provider) -> None:
    named = await pushed(provider, login_hint=ALICE.address, max_age="60", state="kept")
    away = await provider.sign_in.authorize(named)
    assert isinstance(away, RedirectToEntra)
    (state,) = parse_qs(urlsplit(away.url).query)["state"]
    page = await provider.sign_in.callback(Answer(state=state, error="access_denied"), away.binding.secret)
    assert isinstance(page, ErrorPage)
    query = parse_qs(urlsplit(page.again_url or "").query)
    assert query.keys() == {"client_id", "request_uri"}
    assert tuple(query["request_uri"]) != named["request_uri"]
    request, _ = await provider.sign_in.pushed.open({name: tuple(values) for name, values in query.items()})
    assert (request.max_age, request.state, request.prompt, request.pushed) == (60, "kept", "select_account", True)


@pytest.mark.parametrize("hint", [{}, {"login_hint": "nobody"}])
async def test_a_page_that_asks_carries_a_name_that_tells_nothing(provider: Provider, hint: dict[str, str]) -> None:
    form = await provider.sign_in.authorize(await pushed(provider, **hint))
    assert isinstance(form, EmailForm)
    assert form.request.parameters().keys() == {"client_id", "request_uri"}


async def test_the_store_knows_a_request_by_a_hash_of_its_name(provider: Provider) -> None:
    (name,) = (await pushed(provider))["request_uri"]
    handle = name.rpartition(":")[2]
    rows = [row async for row in provider.flows_table.partitions_before("0")]
    (row,) = [row for row in rows if row.key.row.startswith("pushed-request:")]
    assert handle not in f"{row.key} {row.document}"
