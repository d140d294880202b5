import json
import re
from dataclasses import replace

import azure.functions as func
import pytest
from azure_functions_runtime.bindings import datumdef, nullable_converters

from local.host import HostSettings, server
from tests.local_host.conftest import SETTINGS, Call


def _echo(req: func.HttpRequest) -> func.HttpResponse:
    seen = {
        "method": req.method,
        "url": req.url,
        "headers": dict(req.headers),
        "params": dict(req.params),
        "route": dict(req.route_params),
        "body": req.get_body().decode(),
    }
    return func.HttpResponse(json.dumps(seen), mimetype="application/json")


def _echo_app(
    route: str, methods: list[str] | None = None, level: func.AuthLevel = func.AuthLevel.ANONYMOUS
) -> func.FunctionApp:
    app = func.FunctionApp(http_auth_level=level)

    @app.route(route=route, methods=methods)
    async def echo(req: func.HttpRequest) -> func.HttpResponse:
        return _echo(req)

    return app


async def test_a_request_arrives_as_azure_would_hand_it_over(call: Call) -> None:
    client = call(_echo_app("v1/things/{id}"))
    answer = await client.post(
        "/v1/things/a%2Fb%20c?q=1&Q=2&q=&q=3&empty=&one=x",
        content="hello",
        headers=[("X-Twice", "1"), ("X-Twice", "2")],
    )
    seen = answer.json()
    assert seen["method"] == "POST"
    assert seen["url"] == "http://localhost:7071/v1/things/a%2Fb%20c?q=1&Q=2&q=&q=3&empty=&one=x"
    assert seen["params"] == {"q": "1,2,3", "one": "x"}
    assert seen["route"] == {"id": "a%2Fb c"}
    assert seen["headers"]["x-twice"] == "1,2"
    assert seen["body"] == "hello"
    assert answer.headers["content-type"] == "application/json"


async def test_the_same_route_leads_to_the_function_that_takes_the_method(call: Call) -> None:
    app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)

    @app.route(route="thing", methods=["GET"])
    async def get_thing(req: func.HttpRequest) -> func.HttpResponse:
        return func.HttpResponse("got")

    @app.route(route="thing", methods=["PUT"])
    def put_thing(req: func.HttpRequest) -> func.HttpResponse:
        return func.HttpResponse("put", status_code=201)

    client = call(app)
    assert (await client.get("/thing")).text == "got"
    assert (await client.put("/thing")).status_code == 201
    assert [(await client.request(m, "/thing")).status_code for m in ("DELETE", "HEAD")] == [404, 404]


@pytest.mark.parametrize("name", ["state", "STATE", "State"])
async def test_a_parameter_of_the_query_arrives_under_the_first_spelling(call: Call, name: str) -> None:
    answer = await call(_echo_app("thing")).get(f"/thing?{name}=1&state=2&sTATE=3")
    assert answer.json()["params"] == {name: "1,2,3"}


@pytest.fixture
def _as_published(monkeypatch: pytest.MonkeyPatch) -> None:
    """Microsoft's library as it is on PyPI, whatever an app in this process has made of it."""
    monkeypatch.setattr(datumdef, "to_nullable_string", nullable_converters.to_nullable_string)


def _cookie_app(*lines: str) -> func.FunctionApp:
    app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)

    @app.route(route="cookies")
    async def give_cookies(req: func.HttpRequest) -> func.HttpResponse:
        answer = func.HttpResponse(status_code=302, headers={"Location": "/elsewhere"})
        for line in lines:
            answer.headers.add("Set-Cookie", line)
        return answer

    return app


BOTH = ("state=abc; Max-Age=600; Path=/v1; HttpOnly; Secure; SameSite=Lax", "padded=YQ==")


@pytest.mark.usefixtures("_as_published")
async def test_cookies_come_back_as_aspnet_writes_what_the_worker_says_with_a_domain_that_it_does_not_have(
    call: Call,
) -> None:
    answer = await call(_cookie_app(*BOTH), replace(SETTINGS, fills_cookie_domains=False)).get("/cookies")
    assert answer.status_code == 302
    assert answer.headers["location"] == "/elsewhere"
    assert answer.headers.get_list("set-cookie") == [
        "state=abc; max-age=600; domain=; path=/v1; secure; samesite=lax; httponly",
        "padded=YQ%3D%3D; domain=; path=",
    ]


@pytest.mark.usefixtures("_as_published")
async def test_a_domain_that_is_empty_is_filled_in_as_azures_front_end_does(call: Call) -> None:
    answer = await call(_cookie_app(*BOTH, "own=1; Domain=sso.example")).get("/cookies")
    assert answer.headers.get_list("set-cookie") == [
        "state=abc; max-age=600; domain=localhost; path=/v1; secure; samesite=lax; httponly",
        "padded=YQ%3D%3D; domain=localhost; path=",
        "own=1; domain=sso.example; path=",
    ]


async def test_an_absent_domain_and_path_are_the_hosts_to_choose(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    original = nullable_converters.to_nullable_string
    monkeypatch.setattr(datumdef, "to_nullable_string", lambda value, *rest: original(value or None, *rest))
    expiring = "old=1; Expires=Sat, 15 Jun 2024 12:00:00 GMT; SameSite=None"
    answer = await call(_cookie_app("plain=1", expiring)).get("/cookies")
    plain, old = answer.headers.get_list("set-cookie")
    assert plain == "plain=1; path=/"
    # The library reads the time of day as this machine's.
    assert re.fullmatch(r"old=1; expires=\w{3}, 1[456] Jun 2024 [0-9]{2}:[0-9]{2}:00 GMT; path=/; samesite=none", old)


@pytest.mark.parametrize(
    ("level", "key", "status"),
    [
        (func.AuthLevel.ANONYMOUS, None, 200),
        (func.AuthLevel.FUNCTION, None, 401),
        (func.AuthLevel.FUNCTION, "wrong", 401),
        (func.AuthLevel.FUNCTION, "function-key", 200),
        (func.AuthLevel.FUNCTION, "master-key", 200),
        (func.AuthLevel.ADMIN, "function-key", 401),
        (func.AuthLevel.ADMIN, "master-key", 200),
    ],
)
async def test_a_function_opens_to_the_key_of_its_level(
    call: Call, level: func.AuthLevel, key: str | None, status: int
) -> None:
    client = call(_echo_app("guarded", level=level))
    in_header = await client.get("/guarded", headers={"x-functions-key": key} if key else {})
    in_query = await client.get("/guarded", params={"code": key} if key else {})
    assert [in_header.status_code, in_query.status_code] == [status, status]


async def test_without_a_key_in_the_settings_a_guarded_function_stays_shut(call: Call) -> None:
    client = call(_echo_app("guarded", level=func.AuthLevel.FUNCTION), HostSettings(route_prefix=""))
    assert (await client.get("/guarded", headers={"x-functions-key": ""})).status_code == 401


async def test_a_failed_invocation_is_a_500_that_says_nothing(call: Call, caplog: pytest.LogCaptureFixture) -> None:
    app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)

    @app.route(route="boom")
    async def explode(req: func.HttpRequest) -> func.HttpResponse:
        raise RuntimeError("the reason")

    answer = await call(app).get("/boom")
    assert (answer.status_code, answer.content) == (500, b"")
    assert "the reason" in caplog.text


async def test_the_log_names_the_function_but_not_the_url(call: Call, caplog: pytest.LogCaptureFixture) -> None:
    await call(_echo_app("v1/things/{id}")).get("/v1/things/secret-path?code=secret-query")
    assert "Executed 'echo'" in caplog.text
    assert "local.host" in {record.name for record in caplog.records}
    assert "secret" not in "".join(r.getMessage() for r in caplog.records if r.name != "httpx")


async def test_preflight_is_answered_for_the_origins_of_the_settings_only(call: Call) -> None:
    client = call(_echo_app("thing", ["PUT"]))
    preflight = {"Access-Control-Request-Method": "PUT", "Origin": "https://panel.example"}
    ours = await client.options("/thing", headers=preflight)
    theirs = await client.options("/thing", headers={**preflight, "Origin": "https://evil.example"})
    assert ours.headers["access-control-allow-origin"] == "https://panel.example"
    assert "access-control-allow-origin" not in theirs.headers


async def test_a_body_longer_than_azure_takes_is_refused(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "MAX_BODY_BYTES", 10)

    async def chunks():
        for _ in range(3):
            yield b"12345"

    client = call(_echo_app("thing"))
    assert (await client.post("/thing", content=b"1234567890")).json()["body"] == "1234567890"
    assert (await client.post("/thing", content=b"12345678901")).status_code == 413
    assert (await client.post("/thing", content=chunks())).status_code == 413


async def test_a_body_in_chunks_does_not_arrive_but_the_header_that_says_so_does(call: Call) -> None:
    async def chunks():
        yield b"hello"

    seen = (await call(_echo_app("thing")).post("/thing", content=chunks())).json()
    assert (seen["body"], seen["headers"]["transfer-encoding"]) == ("", "chunked")
    assert "content-length" not in seen["headers"]


async def test_the_context_carries_an_invocation_id_and_the_callers_trace(call: Call) -> None:
    app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)

    @app.route(route="context")
    async def tell_context(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
        return func.HttpResponse(f"{context.invocation_id} {context.trace_context.trace_parent}")

    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    client = call(app)
    first, second = [(await client.get("/context", headers={"traceparent": trace})).text for _ in "12"]
    assert first.endswith(trace)
    assert first != second


async def test_a_timer_fires_by_name_for_the_master_key_alone(call: Call) -> None:
    app = func.FunctionApp()
    fired: list[bool] = []

    @app.timer_trigger(schedule="0 0 3 * * *", arg_name="timer")
    async def purge_things(timer: func.TimerRequest) -> None:
        fired.append(timer.past_due)

    client = call(app)
    master = {"x-functions-key": "master-key"}
    assert (await client.post("/admin/functions/purge_things")).status_code == 401
    assert (await client.post("/admin/functions/nothing", headers=master)).status_code == 404
    assert fired == []
    assert (await client.post("/admin/functions/purge_things", headers=master)).status_code == 202
    assert fired == [False]


async def test_two_apps_with_functions_of_one_name_do_not_mix(call: Call) -> None:
    first, second = call(_echo_app("first")), call(_echo_app("second"))
    assert [(await first.get("/first")).status_code, (await first.get("/second")).status_code] == [200, 404]
    assert [(await second.get("/first")).status_code, (await second.get("/second")).status_code] == [404, 200]


async def test_the_route_prefix_of_the_settings_comes_first(call: Call) -> None:
    client = call(_echo_app("thing"), HostSettings())
    assert [(await client.get(path)).status_code for path in ("/api/thing", "/thing")] == [200, 404]
    assert SETTINGS.route_prefix == ""


@pytest.mark.parametrize("path", ["/thing", "/nowhere"])
async def test_hsts_goes_with_every_answer_over_https_but_not_to_this_machine(call: Call, path: str) -> None:
    client = call(_echo_app("thing"), replace(SETTINGS, hsts="max-age=60"))
    answers = {
        url: (await client.get(f"{url}{path}")).headers.get("strict-transport-security")
        for url in ("https://sso.example", "http://sso.example", "https://localhost", "https://[::1]")
    }
    assert answers == dict.fromkeys(answers, None) | {"https://sso.example": "max-age=60"}


async def test_the_answer_to_head_has_no_length_that_is_not_that_of_get(call: Call) -> None:
    assert "content-length" not in (await call(_echo_app("thing", ["HEAD"])).head("/thing")).headers
