"""The empty function: it takes the same request as resolve does and gives the same answer, whoever asks."""

from azure.functions import AuthLevel, FunctionApp, HttpRequest, HttpResponse

app = FunctionApp(http_auth_level=AuthLevel.FUNCTION)


@app.route(route="v1/resolve", methods=["POST"])
async def answer_nothing(req: HttpRequest) -> HttpResponse:  # noqa: ARG001 - the worker demands it
    """Answer, and do nothing else."""
    return HttpResponse('{"method":"password"}', mimetype="application/json")
