"""Every signature can be read, and says nothing that its route does not keep."""

import re

import pytest
from azure.functions import HttpResponse

from functions.app import build_routes
from functions.http.endpoint import Endpoint
from functions.http.parameters import Body, IfMatch, OAuth, OptionalIfMatch, Page, Path, Query
from functions.http.requests import JSON
from functions.http.responses import Described, HtmlPage, NoContent, Put, Redirect
from functions.http.roles import Anybody
from functions.http.signature import parameters_of, responses_of, role_of
from functions.policy import PolicyBody, PolicyDocument
from functions.signout import LogoutParameters
from shared.access.roles import AccountAdministrator, AccountReader, PortalHost, PortalVisitor
from shared.assembly import assemble
from shared.kernel.names import AccountId
from tests.support.ports import fakes

ENDPOINTS = [endpoint for routes in build_routes(assemble(fakes())) for endpoint in routes.endpoints]


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: endpoint.name)
def test_a_signature_reads_every_name_in_its_path_and_no_other(endpoint: Endpoint) -> None:
    read = {each.name for each in endpoint.parameters if not each.source.queries(each.name) and _is_name(each.wanted)}
    if role_of(endpoint.handler) in {AccountAdministrator, AccountReader, PortalHost, PortalVisitor}:
        read.add("accountId")
    assert read == {*re.findall(r"\{(\w+)\}", endpoint.path)}


def _is_name(wanted: object) -> bool:
    return isinstance(wanted, type) and issubclass(wanted, str)


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: endpoint.name)
def test_a_signature_says_what_it_returns_and_how_it_reads_what_it_takes(endpoint: Endpoint) -> None:
    assert endpoint.responses
    assert all(callable(each.reader()) for each in endpoint.parameters)
    assert endpoint.method != "GET" or not endpoint.takes


async def handler(
    _role: Anybody,
    account_id: Path[AccountId],
    _settings: Body[PolicyBody],
    _page: Page,
    login_hint: Query,
    _seen: IfMatch,
    _perhaps: OptionalIfMatch,
    _parameters: OAuth[LogoutParameters],
) -> Put[PolicyDocument] | NoContent | Redirect | HtmlPage:
    """Take one of each."""
    return HttpResponse(f"{account_id} {login_hint}")


def test_an_alias_stands_for_what_it_says() -> None:
    taken = {each.name: each for each in parameters_of(handler)}
    assert taken["accountId"].wanted is AccountId
    assert taken["_settings"].bodies() == {JSON: PolicyBody}
    assert taken["_page"].source.queries("page") == ("pageSize", "continuationToken")
    assert taken["loginHint"].source.queries("loginHint") == ("loginHint",)
    assert (taken["_seen"].source.if_match, taken["_perhaps"].source.if_match) == ("required", "optional")
    assert taken["_parameters"].bodies() == {"application/x-www-form-urlencoded": LogoutParameters}


def test_a_union_of_responses_is_each_of_them() -> None:
    assert responses_of(handler) == (
        Described(200, JSON, PolicyDocument),
        Described(201, JSON, PolicyDocument),
        Described(204),
        Described(303),
        Described(200, "text/html"),
    )
