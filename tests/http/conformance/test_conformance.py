"""The provider, held against each module of the OpenID Foundation's plans for Basic OP and for both kinds of logout.

The modules share one customer and its applications; each has people of its own. Each module is a subtest of its name.
"""

from collections.abc import Callable
from typing import Any

import pytest

from tests.http.conformance import basic, logout
from tests.http.conformance.suite import POST_LOGOUT_REDIRECT_URI, REDIRECT_URI, Client, Suite
from tests.http.conftest import Caller
from tests.http.signing_in import NewPerson, Register
from tests.http.test_logout import Ear, ear
from tests.support.service import RunningService

type NewClient = Callable[..., Client]


@pytest.fixture
def new_client(register: Register, operator: Caller) -> NewClient:
    """Registers a client of the suite."""

    def make(client_id: str, *, in_body: bool = False, **profile: Any) -> Client:
        method = "client_secret_post" if in_body else "client_secret_basic"
        addresses = {"redirectUris": [REDIRECT_URI], "postLogoutRedirectUris": [POST_LOGOUT_REDIRECT_URI]}
        register(client_id, tokenEndpointAuthMethod=method, **addresses, **profile).raise_for_status()
        answer = operator("POST", f"/v1/applications/{client_id}/secret", headers={"If-Match": "*"})
        return Client(client_id, answer.raise_for_status().json()["clientSecret"], in_body)

    return make


@pytest.fixture
def suite(contoso: Caller, new_client: NewClient, new_person: NewPerson, service: RunningService) -> Suite:
    return Suite(
        service,
        new_person,
        new_client("suite", codeBinding="none"),
        new_client("suite-post", in_body=True, codeBinding="none"),
        new_client("suite-default"),
    )


def modules(*of: Any) -> dict[str, Callable[..., None]]:
    """The modules that are defined there, by their names in the suite."""
    return {
        name.replace("_", "-"): thing
        for where in of
        for name, thing in vars(where).items()
        if name.startswith("oidcc_")
    }


def run(subtests: pytest.Subtests, chosen: dict[str, Callable[..., None]], *arguments: Any) -> None:
    for name, module in chosen.items():
        with subtests.test(name):
            module(*arguments)


def test_the_basic_plan(suite: Suite, subtests: pytest.Subtests) -> None:
    run(subtests, modules(basic), suite)


def test_the_plan_of_rp_initiated_logout(suite: Suite, subtests: pytest.Subtests) -> None:
    chosen = {name: module for name, module in modules(logout).items() if "backchannel" not in name}
    run(subtests, chosen, suite)


def test_the_plan_of_back_channel_logout(suite: Suite, new_client: NewClient, subtests: pytest.Subtests) -> None:
    with ear() as listening:
        heard: Ear = listening
        client = new_client("suite-backchannel", codeBinding="none", backchannelLogoutUri=heard.url)
        told = Suite(suite.service, suite.new_person, client, suite.post_client, suite.default_client)
        with subtests.test("oidcc-backchannel-logout-discovery-endpoint-verification"):
            logout.oidcc_backchannel_logout_discovery_endpoint_verification(told)
        with subtests.test("oidcc-backchannel-rp-initiated-logout"):
            logout.oidcc_backchannel_rp_initiated_logout(told, heard)


def test_every_module_of_the_plans_has_a_test() -> None:
    assert {*modules(basic)} == {*BASIC.split()}
    assert {*modules(logout)} == {*LOGOUT.split()}


BASIC = """
oidcc-server oidcc-response-type-missing oidcc-idtoken-signature oidcc-idtoken-unsigned oidcc-userinfo-get
oidcc-userinfo-post-header oidcc-userinfo-post-body oidcc-ensure-request-without-nonce-succeeds-for-code-flow
oidcc-scope-profile oidcc-scope-email oidcc-scope-address oidcc-scope-phone oidcc-scope-all oidcc-alternate-happy-flow
oidcc-display-page oidcc-display-popup oidcc-prompt-login oidcc-prompt-none-not-logged-in oidcc-prompt-none-logged-in
oidcc-max-age-1 oidcc-max-age-10000 oidcc-ensure-request-with-unknown-parameter-succeeds oidcc-id-token-hint
oidcc-login-hint oidcc-ui-locales oidcc-claims-locales oidcc-ensure-request-with-acr-values-succeeds oidcc-codereuse
oidcc-codereuse-30seconds oidcc-ensure-registered-redirect-uri oidcc-ensure-post-request-succeeds
oidcc-server-client-secret-post oidcc-request-uri-unsigned-supported-correctly-or-rejected-as-unsupported
oidcc-unsigned-request-object-supported-correctly-or-rejected-as-unsupported oidcc-claims-essential
oidcc-ensure-request-object-with-redirect-uri oidcc-refresh-token oidcc-ensure-request-with-valid-pkce-succeeds
"""
"""`OIDCCBasicTestPlan`, of 20 August 2026."""

LOGOUT = """
oidcc-rp-initiated-logout-discovery-endpoint-verification oidcc-rp-initiated-logout
oidcc-rp-initiated-logout-bad-post-logout-redirect-uri oidcc-rp-initiated-logout-modified-id-token-hint
oidcc-rp-initiated-logout-no-id-token-hint oidcc-rp-initiated-logout-no-params
oidcc-rp-initiated-logout-no-post-logout-redirect-uri oidcc-rp-initiated-logout-no-state
oidcc-rp-initiated-logout-only-state oidcc-rp-initiated-logout-query-added-to-post-logout-redirect-uri
oidcc-rp-initiated-logout-bad-id-token-hint oidcc-backchannel-logout-discovery-endpoint-verification
oidcc-backchannel-rp-initiated-logout
"""
"""`OIDCCRpInitiatedLogoutTestPlan` and `OIDCCBackchannelRpInitiatedLogoutTestPlan`, of the same day."""
