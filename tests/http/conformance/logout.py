"""The modules of the suite's plans for RP-Initiated Logout and Back-Channel Logout, each named after the module."""

import jwt

from local import loopback
from local.cast.stack import MASTER_KEY
from tests.http.conformance.basic import UI_REQUIRED
from tests.http.conformance.suite import POST_LOGOUT_REDIRECT_URI, SignedIn, Suite
from tests.http.signing_in import Person, Shown, claims_of, query_of, without_query
from tests.http.test_logout import Ear, leave

STATE = "state-of-the-end"


def left(suite: Suite, person: Person, signed_in: SignedIn, **changes: str | None) -> str:
    """Sign out as the suite does, by way of Microsoft; where the browser comes to rest."""
    given = {
        "id_token_hint": signed_in.tokens["id_token"],
        "post_logout_redirect_uri": POST_LOGOUT_REDIRECT_URI,
        "state": STATE,
    } | changes
    response = leave(person, **{name: value for name, value in given.items() if value is not None})
    if not response.has_redirect_location:
        return response.text
    assert "Signed out" in person.open(response.headers["location"]).text
    returned = person.open(query_of(response.headers["location"])["post_logout_redirect_uri"])
    return str(returned.headers.get("location", returned.text))


def nobody_is_signed_in(suite: Suite, person: Person) -> None:
    """Ask with `prompt=none`, which must return an error that calls for a page."""
    asked = suite.asked()
    returned = suite.returned(person, suite.authorize(person, asked, prompt="none"))
    assert suite.error(returned, asked) in UI_REQUIRED


def stays(suite: Suite, **changes: str | None) -> None:
    """Sign in and out with a request that is wrong: the person sees a page, and is not redirected to the client."""
    person = suite.new_person()
    response = left(suite, person, suite.sign_in(person), **changes)
    assert "<button" in response


def oidcc_rp_initiated_logout_discovery_endpoint_verification(suite: Suite) -> None:
    assert suite.discovery()["end_session_endpoint"]


def oidcc_rp_initiated_logout(suite: Suite) -> None:
    person = suite.new_person()
    location = left(suite, person, suite.sign_in(person))
    assert without_query(location) == POST_LOGOUT_REDIRECT_URI
    assert query_of(location) == {"state": STATE}
    nobody_is_signed_in(suite, person)


def oidcc_rp_initiated_logout_bad_post_logout_redirect_uri(suite: Suite) -> None:
    stays(suite, post_logout_redirect_uri="https://suite.example/not-registered")


def oidcc_rp_initiated_logout_modified_id_token_hint(suite: Suite) -> None:
    """The hint is changed to `alg` none."""
    person = suite.new_person()
    signed_in = suite.sign_in(person)
    claims = jwt.decode(signed_in.tokens["id_token"], options={"verify_signature": False})
    response = left(suite, person, signed_in, id_token_hint=jwt.encode(claims, None, algorithm="none"))
    assert "<button" in response


def oidcc_rp_initiated_logout_no_id_token_hint(suite: Suite) -> None:
    stays(suite, id_token_hint=None)


def oidcc_rp_initiated_logout_no_params(suite: Suite) -> None:
    signs_out_after_a_question(suite, {})


def signs_out_after_a_question(suite: Suite, asked: dict[str, str]) -> None:
    """Without a hint the person is asked first, and signed out when they agree."""
    person = suite.new_person()
    suite.sign_in(person)
    page = Shown.by(leave(person, **asked))
    kept = {str(one.attributes["name"]): str(one.attributes["value"]) for one in page.all("input")}
    response = person.browser.send("POST", suite.discovery()["end_session_endpoint"], kept)
    assert "Signed out" in person.open(response.headers["location"]).text
    assert Shown.by(person.open(f"{suite.service.url}/signed-out")).title == "Signed out"
    nobody_is_signed_in(suite, person)


def oidcc_rp_initiated_logout_no_post_logout_redirect_uri(suite: Suite) -> None:
    person = suite.new_person()
    response = left(suite, person, suite.sign_in(person), post_logout_redirect_uri=None)
    assert "<title>Signed out</title>" in response
    nobody_is_signed_in(suite, person)


def oidcc_rp_initiated_logout_no_state(suite: Suite) -> None:
    person = suite.new_person()
    assert left(suite, person, suite.sign_in(person), state=None) == POST_LOGOUT_REDIRECT_URI
    nobody_is_signed_in(suite, person)


def oidcc_rp_initiated_logout_only_state(suite: Suite) -> None:
    signs_out_after_a_question(suite, {"state": STATE})


def oidcc_rp_initiated_logout_query_added_to_post_logout_redirect_uri(suite: Suite) -> None:
    stays(suite, post_logout_redirect_uri=f"{POST_LOGOUT_REDIRECT_URI}?foo=bar")


def oidcc_rp_initiated_logout_bad_id_token_hint(suite: Suite) -> None:
    """The hint is signed by the client."""
    person = suite.new_person()
    signed_in = suite.sign_in(person)
    forged = jwt.encode(signed_in.claims, suite.client.secret, algorithm="HS256")
    assert "<button" in left(suite, person, signed_in, id_token_hint=forged)


def oidcc_backchannel_logout_discovery_endpoint_verification(suite: Suite) -> None:
    configuration = suite.discovery()
    assert configuration["backchannel_logout_supported"] is True
    assert configuration["backchannel_logout_session_supported"] is True
    assert configuration["end_session_endpoint"]


def oidcc_backchannel_rp_initiated_logout(suite: Suite, ear: Ear) -> None:
    person = suite.new_person()
    signed_in = suite.sign_in(person)
    ear.heard.clear()
    location = left(suite, person, signed_in)
    suite.wait(120)  # the application that began the sign-out hears of it last, and the suite waits for it
    key = {"x-functions-key": MASTER_KEY}
    loopback.post(f"{suite.service.url}/admin/functions/run_duties", json={}, headers=key).raise_for_status()
    token = ear.token
    assert jwt.get_unverified_header(token)["alg"] == "RS256"
    claims = claims_of(suite.service, token, signed_in.asked.client_id)
    assert claims["iat"] <= suite.service.clock.now().timestamp()
    assert claims["jti"]
    assert claims["events"] == {"http://schemas.openid.net/event/backchannel-logout": {}}
    assert (claims["sub"], claims["sid"]) == (signed_in.claims["sub"], signed_in.claims["sid"])
    assert "nonce" not in claims
    assert query_of(location) == {"state": STATE}
    nobody_is_signed_in(suite, person)
