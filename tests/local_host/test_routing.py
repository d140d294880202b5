import pytest

from local.host.routing import HttpRoute, RouteError, RouteTable

GUID = "0F0E0D0C-0b0a-4908-8706-050403020100"


def _table(**templates: str) -> RouteTable:
    return RouteTable(HttpRoute.compile(name, template, ["GET"], "") for name, template in templates.items())


@pytest.mark.parametrize(
    ("template", "path", "params"),
    [
        ("v1/things", "/v1/things", {}),
        ("v1/things", "/V1/Things/", {}),
        ("/v1/things/", "/v1/things", {}),
        ("v1/things", "/v1/things/1", None),
        ("v1.0", "/v1x0", None),
        (".well-known/x", "/.well-known/x", {}),
        ("{a}/x/{b}", "/1/x/2", {"a": "1", "b": "2"}),
        ("v1/{id}", "/v1/", None),
        ("v1/{id?}", "/v1", {}),
        ("v1/{id?}", "/v1/7", {"id": "7"}),
        ("v1/{*rest}", "/v1/a/b%20c", {"rest": "a/b c"}),
        ("v1/{*rest}", "/v1", {}),
        ("v1/{id}", "/v1/a%2Fb", {"id": "a%2Fb"}),
        ("v1/{id}", "/v1/caf%C3%A9", {"id": "café"}),
        ("v1/{id:int}", "/v1/x", None),
        ("v1/{id:int}", "/v1/12", {"id": "12"}),
        ("v1/{id:length(3)}", "/v1/abcd", None),
        ("v1/{id:length(3, 5)}", "/v1/abcd", {"id": "abcd"}),
        ("v1/{id:minlength(5)}", "/v1/abcd", None),
        ("v1/{id:maxlength(3)}", "/v1/abcd", None),
        ("v1/{id:guid}", "/v1/0F0E0D0C-0b0a-4908-8706-05040302010", None),
        ("v1/{id:guid}/x", f"/v1/{GUID}/x", {"id": GUID}),
    ],
)  # fmt: skip
def test_templates_match_as_in_asp_net(template: str, path: str, params: dict[str, str] | None) -> None:
    match = _table(function=template).match("GET", path)
    assert match == (None if params is None else ("function", params))


def test_the_functions_name_decides_between_templates_as_in_azure() -> None:
    assert _table(callback="v1/callback", open_ticket="v1/{ticket}").match("GET", "/v1/callback") == (
        "callback",
        {},
    )
    shadowed = _table(start_ticket="v1/{ticket}", zcallback="v1/callback").match("GET", "/v1/callback")
    assert shadowed == ("start_ticket", {"ticket": "callback"})


@pytest.mark.parametrize(
    "template", ["admin/things", "Runtime/x", "v1/{id:wishes}", "v1/{id", "v1/a{id}", "v1/{id:length(x)}"]
)
def test_templates_that_azure_or_this_host_would_not_serve_are_refused(template: str) -> None:
    with pytest.raises(RouteError, match="function"):
        HttpRoute.compile("function", template, [], "")
