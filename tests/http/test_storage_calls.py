"""What each endpoint asks of the store, held against this table: no clock can make it pass or fail.

`bench.endpoints` tells a story that calls every endpoint of the route table, with nothing remembered unless it says so,
and counts what passes to Azurite. A number that rises needs a reason; one that falls is written down here, so that it
does not rise again unseen.
"""

import pytest

from bench.endpoints import Counted, counted

CALLS = {
    "put_account, new": 4,
    "put_account, as it is": 1,
    "put_account, changed": 3,
    "get_account": 1,
    "delete_account, 220 rows": 15,
    "start_connection": 4,
    "start_connection, a setup link": 4,
    "show_connect, a setup link": 3,
    "open_connect, a setup link": 5,
    "list_setup_links": 1,
    "revoke_setup_link": 3,
    "show_connect": 2,
    "open_connect": 4,
    "connect_callback, consent": 4,
    "connect_callback": 10,
    "get_connection": 1,
    "patch_connection, as it is": 1,
    "check_connection": 3,
    "delete_connection": 8,
    "list_domains": 1,
    "switch_domain": 3,
    "refresh_domains, two domains": 5,
    "open_portal": 4,
    "show_portal_link": 3,
    "start_portal_session": 7,
    "show_portal": 0,
    "get_own_portal_session": 1,
    "get_policy, in the portal": 2,
    "list_portal_sessions": 2,
    "sign_out_of_portal": 4,
    "revoke_portal_session": 4,
    "get_policy": 1,
    "put_policy": 3,
    "patch_policy": 3,
    "patch_policy, an application off": 4,
    "reset_policy": 3,
    "add_exceptions, one": 4,
    "add_exceptions, 200 in JSON": 11,
    "add_exceptions, 200 in CSV": 11,
    "list_exceptions, a page": 2,
    "list_exceptions, 201 as CSV": 3,
    "search_exceptions": 2,
    "search_exceptions, a part of 200": 2,
    "get_overview": 3,
    "list_account_applications": 2,
    "get_exception": 2,
    "patch_exception": 5,
    "delete_exception": 5,
    "list_audit, a page": 6,
    "search_audit, a person": 6,
    "list_application_audit, a page": 2,
    "list_links, a page": 2,
    "search_links": 2,
    "release_link": 7,
    "erase_person, a person of two names": 57,
    "erase_person, nobody": 9,
    "release_links, none left": 3,
    "put_application, new": 3,
    "put_application, as it is": 1,
    "put_application, changed": 3,
    "get_application": 1,
    "list_applications": 1,
    "delete_application": 3,
    "renew_application_secret": 3,
    "resolve_email, cold": 4,
    "resolve_email, cold, 64 callers at once": 3,
    "resolve_email, known account": 2,
    "resolve_email, known account, its list in memory": 0,
    "resolve_email, from its cache": 0,
    "resolve_email, unknown domain": 1,
    "authorize, the first time": 4,
    "authorize, again": 4,
    "authorize, of a remembered person": 4,
    "authorize, of an id_token_hint": 4,
    "authorize_by_form": 4,
    "push_authorization_request": 2,
    "authorize, pushed": 5,
    "authorize, warm": 1,
    "complete_sign_in, the first time": 11,
    "complete_sign_in, again": 7,
    "complete_sign_in, of a remembered person": 7,
    "complete_sign_in, of an id_token_hint": 7,
    "complete_sign_in, warm": 4,
    "start_sign_in": 1,
    "show_sso_does_not_apply": 0,
    "redeem_code, public client": 5,
    "redeem_code, warm": 1,
    "redeem_code, for refresh tokens": 8,
    "redeem_code, a refresh token": 7,
    "redeem_code, the token before": 6,
    "revoke_token": 4,
    "get_userinfo": 1,
    "get_userinfo_by_form": 1,
    "sign_out, a session": 7,
    "sign_out, to be asked": 1,
    "sign_out_by_form, no session": 6,
    "finish_sign_out": 1,
    "end_session, no session": 5,
    "get_openid_configuration": 0,
    "get_authorization_server_metadata": 0,
    "get_jwks": 0,
    "get_health, not asked lately": 1,
    "get_health": 0,
    "get_health_cookie": 0,
    "get_openapi": 0,
    "get_panel": 0,
}
"""Requests to the store of one call, by function and circumstances.

The second question about an account has its exception list read in the background, after which no user of it costs a
read; the list is read again when it has changed, and after five minutes.

A change reads by which reference its author is known, and, side by side, the person whom it is about; a page of a trail
reads each person on it, side by side. Completing a sign-in writes the session, a row by which it is found when the
person is erased, and the code, in one transaction; a link's first use of a day is one more write. An erasure reads all
that it removes, and looks for sessions in sixteen shards of two days.

The instance that has issued a state or a code has a copy of it: here it is always the same one. Another one reads it
first, which is a call more for each.

Completing a sign-in reads the account as it is now: one that was closed, or replaced by another of its id, must let
nobody in, whatever is remembered of it. It reads the whole head for that, because it also says to which tenant the
account is connected now. The first time, it reads the identity, which gives the person
their `sub`. The first time since a change of tenant, which this story does not tell, it reads the identity of the link
before, too; and while `keepPeople` is on the account, a mark and its link, to see whether anybody is left. Somebody who
was renamed is decided for once more, by the address of today. Releasing a link reads the identity that loses it, and
whether `keepPeople` ends with it. An erasure looks for a mark, and at the account, for that. Redeeming decides
once more, too, by rows that may be ten seconds old (three reads, if nothing is remembered), and reads the link, and
that of an address of today: policy, exception or link may have changed in the minute of a code. The rows of a session
are in two partitions, of today and of tomorrow, and those of the release before in a third; those that name its refresh
tokens are in two, of this month and the next, and so are a person's.
Redeeming a code for refresh tokens writes their row and that name, and reads the session, which may have ended; a
renewal reads the row and replaces it. Deleting an account plans the duty that sweeps it. The callback that connects
keeps the proven sign-in before it asks Graph, which may be late: two calls for each integration. The page of a setup
link writes that it was opened, the first time, and its button that it was pressed. A call in the portal reads its
session, and once a minute writes that it was used. A link to it reads whether its person was erased.
"""


@pytest.fixture(scope="module")
def story() -> list[Counted]:
    return counted()


@pytest.fixture(scope="module")
def found(story: list[Counted]) -> dict[str, int]:
    return {each.name: each.calls for each in story}


def test_every_endpoint_asks_the_store_as_often_as_is_written_here(found: dict[str, int]) -> None:
    """The story ends with an error if there is an endpoint that it does not call."""
    assert found == CALLS


def test_a_whole_sign_in_asks_six_times_if_everything_is_cached(found: dict[str, int]) -> None:
    assert sum(found[f"{step}, warm"] for step in ("authorize", "complete_sign_in", "redeem_code")) <= 6


def test_no_endpoint_makes_a_transaction_of_one_row(story: list[Counted]) -> None:
    """It costs several times as much as a plain request, in the service and in the store."""
    sizes = {each.name: each.batches for each in story if each.batches}
    assert sizes["put_account, new"]
    assert sizes["add_exceptions, 200 in CSV"]
    assert {name: batches for name, batches in sizes.items() if min(batches) == 1} == {}


def test_who_is_remembered_costs_nothing_more(found: dict[str, int]) -> None:
    for function in ("authorize", "complete_sign_in"):
        assert found[f"{function}, of a remembered person"] == found[f"{function}, again"]


def test_resolve_asks_no_more_than_was_promised(found: dict[str, int]) -> None:
    promised = {"cold": 4, "known account, its list in memory": 0, "from its cache": 0, "unknown domain": 1}
    assert {when: found[f"resolve_email, {when}"] for when in promised} == promised


def test_a_pushed_sign_in_asks_the_store_twice_more(found: dict[str, int]) -> None:
    """To keep the request and to read it. The client's row, which the push reads, is remembered when it is opened."""
    pushed = found["push_authorization_request"] + found["authorize, pushed"] - 1
    assert pushed <= found["authorize, again"] + 2
