"""What each endpoint asks of the store, held against this table: no clock can make it pass or fail.

`bench.endpoints` tells a story that calls every endpoint of the route table, with nothing remembered unless it says so,
and counts what passes to Azurite. A number that rises needs a reason; one that falls is written down here, so that it
does not rise again unseen.
"""

import pytest

from bench.endpoints import counted

CALLS = {
    "put_account, new": 3,
    "put_account, as it is": 1,
    "put_account, changed": 2,
    "get_account": 1,
    "delete_account, 220 rows": 14,
    "start_connection": 3,
    "show_connect": 2,
    "open_connect": 4,
    "connect_callback, consent": 4,
    "connect_callback": 6,
    "get_connection": 1,
    "patch_connection, as it is": 1,
    "check_connection": 2,
    "delete_connection": 7,
    "list_domains": 1,
    "switch_domain": 2,
    "refresh_domains, two domains": 4,
    "get_policy": 1,
    "put_policy": 2,
    "patch_policy": 2,
    "patch_policy, an application off": 3,
    "reset_policy": 2,
    "add_exceptions, one": 2,
    "add_exceptions, 200 in JSON": 7,
    "add_exceptions, 200 in CSV": 7,
    "list_exceptions, a page": 2,
    "list_exceptions, 201 as CSV": 3,
    "search_exceptions": 2,
    "search_exceptions, a part of 200": 2,
    "get_overview": 3,
    "list_account_applications": 2,
    "get_exception": 2,
    "patch_exception": 3,
    "delete_exception": 3,
    "list_audit, a page": 2,
    "list_application_audit, a page": 1,
    "list_links, a page": 2,
    "search_links": 2,
    "release_link": 4,
    "release_links, none left": 3,
    "put_application, new": 2,
    "put_application, as it is": 1,
    "put_application, changed": 2,
    "get_application": 1,
    "list_applications": 1,
    "delete_application": 2,
    "renew_application_secret": 2,
    "resolve_email, cold": 4,
    "resolve_email, cold, 64 callers at once": 4,
    "resolve_email, known account": 1,
    "resolve_email, from its cache": 0,
    "resolve_email, unknown domain": 1,
    "authorize, the first time": 5,
    "authorize, again": 5,
    "authorize_by_form": 5,
    "complete_sign_in, the first time": 12,
    "complete_sign_in, again": 10,
    "redeem_code, public client": 8,
    "get_userinfo": 0,
    "get_userinfo_by_form": 0,
    "sign_out, a session": 5,
    "sign_out, to be asked": 1,
    "sign_out_by_form, no session": 4,
    "finish_sign_out": 1,
    "end_session, no session": 3,
    "get_openid_configuration": 0,
    "get_jwks": 0,
    "get_health, not asked lately": 1,
    "get_health": 0,
    "get_health_cookie": 0,
    "get_openapi": 0,
    "get_panel": 0,
}
"""Requests to the store of one call, by function and circumstances.

Completing a sign-in and redeeming a code each read the account as it is now: one that was closed, or replaced by
another of its id, must let nobody in, whatever is remembered of it. Completing reads the whole head for that, because
it also says to which tenant the account is connected now. The first time, it reads the identity, which gives the person
their `sub`. Releasing a link reads the identity that loses it, and whether `keepPeople` ends with it. Redeeming decides
once more, too (three reads, if nothing is remembered), and reads the link: policy, exception or link may have changed
in the minute of a code. The rows of a session are in two partitions, of today and of tomorrow, and those of the release
before in a third. Deleting an account plans the duty that sweeps it.
"""


@pytest.fixture(scope="module")
def found() -> dict[str, int]:
    return {each.name: each.calls for each in counted()}


def test_every_endpoint_asks_the_store_as_often_as_is_written_here(found: dict[str, int]) -> None:
    """The story ends with an error if there is an endpoint that it does not call."""
    assert found == CALLS


def test_resolve_asks_no_more_than_was_promised(found: dict[str, int]) -> None:
    promised = {"cold": 4, "cold, 64 callers at once": 4, "known account": 1, "from its cache": 0, "unknown domain": 1}
    assert {when: found[f"resolve_email, {when}"] for when in promised} == promised
