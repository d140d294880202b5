"""What it costs until a person sees where they are: requests, calls, bytes, and whether anything moves meanwhile."""

import gzip
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Page, Request, expect

from local.cast.panel import Caller
from tests.browser.conftest import NewContext
from tests.browser.edge import Edge, late
from tests.browser.panel import ACCOUNT, ANY, READS, SCREENS, heading, screen
from tests.http.conftest import Walk
from tests.support.service import RunningService

pytestmark = pytest.mark.slow

SHIFTS = """
new PerformanceObserver((list) => {
  for (const each of list.getEntries()) window.shifted = (window.shifted ?? 0) + each.value;
}).observe({type: "layout-shift", buffered: true});
"""
SIZES = ((1280, 800), (360, 740))


async def test_one_request_brings_the_code_and_at_most_two_calls_the_overview(
    page: Page, served: str, service: RunningService, connected: Caller
) -> None:
    assert connected
    requests: list[Request] = []

    def asked(request: Request) -> None:
        requests.append(request)

    page.on("request", asked)
    await page.goto(served)
    await heading(page, "Everybody signs in with Microsoft")
    await page.wait_for_load_state("networkidle")
    of_the_service = [each for each in requests if each.url.startswith(service.url)]
    code = [each for each in of_the_service if "/panel/" in each.url]
    assert [urlsplit(each.url).path for each in code] == ["/panel/azure-sso-panel.js"]
    calls = [each for each in of_the_service if each not in code]
    assert [urlsplit(each.url).path for each in calls] == [f"{ACCOUNT}/overview"] * len(calls)
    assert 1 <= len(calls) <= 2
    answer = await code[0].response()
    assert answer is not None
    assert answer.headers["content-encoding"] == "gzip"
    assert len(gzip.compress(await answer.body())) < 60 * 1024
    assert (await code[0].sizes())["responseBodySize"] < 60 * 1024


async def test_no_screen_asks_anybody_but_the_service_for_anything(
    page: Page, served: str, service: RunningService, connected: Caller
) -> None:
    assert connected
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    for name in (*SCREENS, "setup/confirm", "exceptions/import", "exceptions/add"):
        await screen(page, served, name)
    await page.wait_for_load_state("networkidle")
    its_page = {f"{served}/", f"{served}/shell.js", f"{served}/token/sam"}
    assert {each for each in requests if not each.startswith(f"{service.url}/")} == its_page
    paths = {urlsplit(each).path for each in requests if each.startswith(service.url)}
    assert all(each.startswith(f"{ACCOUNT}/") for each in paths - {"/panel/azure-sso-panel.js"})


async def test_nothing_moves_when_a_slow_overview_arrives(
    served: str, company: Caller, connect: Walk, new_context: NewContext
) -> None:
    async def arrives(title: str) -> None:
        for width, height in SIZES:
            page = await (await new_context(viewport={"width": width, "height": height})).new_page()
            await page.add_init_script(SHIFTS)
            await Edge(page).during("GET /overview", late(0.7))
            await page.goto(served)
            await expect(page.get_by_text("Loading: Overview")).to_be_attached()
            await heading(page, title)
            await page.wait_for_timeout(100)
            assert await page.evaluate("window.shifted ?? 0") < 0.01, f"{title}, {width}"
            await page.context.close()

    await arrives("Nobody signs in with Microsoft yet")
    company.must("POST", f"{ACCOUNT}/connection", json={})
    await arrives("Waiting for an administrator to accept")
    connect(company, "contoso")
    await arrives("Microsoft sign-in is ready, and switched off")
    company.must("PATCH", f"{ACCOUNT}/policy", json={"mode": "on"}, headers=ANY)
    await arrives("Everybody signs in with Microsoft")


async def test_a_link_to_any_screen_opens_it_and_nothing_moves_as_its_list_arrives(
    page: Page, served: str, connected: Caller
) -> None:
    """Skeletons have the size of what comes: what is shown first stays where it is."""
    assert connected
    await page.add_init_script(SHIFTS)
    edge = Edge(page)
    for name, call in READS.items():
        restored = await edge.during(call, late(0.5))
        await page.goto("about:blank")
        await page.goto(f"{served}/#{name}")
        await expect(page.locator("azure-sso-panel section.screen:not(.waits) h3").first).to_be_visible()
        await page.wait_for_timeout(100)
        assert await page.evaluate("window.shifted ?? 0") < 0.1, name
        await restored()
