"""The id under which an answer is found in the log is that of its own invocation, however many there are at once."""

import asyncio

from azure.functions import HttpRequest, HttpResponse

from functions.http.endpoint import Routes
from functions.http.invocation import invocation_id
from functions.http.responses import HtmlPage
from functions.http.roles import Anybody
from shared.assembly import assemble
from shared.kernel.refusals import Refusal
from tests.support.invocation import Invocation
from tests.support.ports import fakes


class Echo:
    """A dialect that is not asked."""

    def refused(self, refusal: Refusal, invocation_id: str) -> HttpResponse:
        raise AssertionError(invocation_id)

    def failed(self, invocation_id: str) -> HttpResponse:
        raise AssertionError(invocation_id)


async def test_each_call_sees_its_own_id() -> None:
    routes = Routes("echo", assemble(fakes()).edge, Echo())

    @routes.get("/echo")
    async def get_echo(_: Anybody) -> HtmlPage:
        """Tell the id after others have had their turn."""
        await asyncio.sleep(0)
        return HttpResponse(invocation_id.get())

    handler = routes.answer("get_echo")
    calls = (handler(HttpRequest("GET", "/echo", body=b""), Invocation(str(number))) for number in range(5))
    answers = await asyncio.gather(*(asyncio.create_task(call) for call in calls))
    assert [answer.get_body() for answer in answers] == [b"0", b"1", b"2", b"3", b"4"]
    assert invocation_id.get() == ""
