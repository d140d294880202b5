"""The modules of the suite's Basic OP plan, each named after the module (`oidcc-server` is `oidcc_server`)."""

import json

from local import loopback
from local.cast.application import challenge_of
from local.cast.person import ALICE
from tests.http.conformance.suite import REDIRECT_URI, Returned, SignedIn, Suite
from tests.http.signing_in import Shown, query_of

UI_REQUIRED = {"login_required", "interaction_required", "account_selection_required", "consent_required"}


def oidcc_server(suite: Suite) -> None:
    signed_in = suite.sign_in()
    assert "name" not in signed_in.claims, "nobody asked for profile"


def oidcc_response_type_missing(suite: Suite) -> None:
    person, asked = suite.new_person(), suite.asked()
    returned = suite.returned(person, suite.authorize(person, asked, response_type=None))
    assert suite.error(returned, asked) in {"invalid_request", "unsupported_response_type"}


def oidcc_idtoken_signature(suite: Suite) -> None:
    assert "RS256" in suite.discovery()["id_token_signing_alg_values_supported"]
    keys = loopback.get(suite.discovery()["jwks_uri"]).json()["keys"]
    assert all(key["kid"] and key.keys().isdisjoint({"d", "p", "q"}) for key in keys)
    suite.sign_in()


def oidcc_idtoken_unsigned(suite: Suite) -> None:
    """A client cannot register for ID tokens without a signature; the suite then skips the module."""
    assert "none" not in suite.discovery()["id_token_signing_alg_values_supported"]


def oidcc_userinfo_get(suite: Suite) -> None:
    signed_in = suite.sign_in()
    assert suite.userinfo(signed_in.tokens["access_token"]).headers["content-type"].startswith("application/json")


def oidcc_userinfo_post_header(suite: Suite) -> None:
    signed_in = suite.sign_in()
    headers = {"Authorization": f"Bearer {signed_in.tokens['access_token']}"}
    response = loopback.post(suite.discovery()["userinfo_endpoint"], headers=headers)
    assert response.raise_for_status().json() == signed_in.userinfo


def oidcc_userinfo_post_body(suite: Suite) -> None:
    signed_in = suite.sign_in()
    form = {"access_token": signed_in.tokens["access_token"]}
    response = loopback.post(suite.discovery()["userinfo_endpoint"], data=form)
    assert response.raise_for_status().json() == signed_in.userinfo


def oidcc_ensure_request_without_nonce_succeeds_for_code_flow(suite: Suite) -> None:
    """Neither PKCE nor a nonce: it succeeds with `codeBinding` none, and the default refuses it."""
    suite.sign_in(nonce=None)
    person, asked = suite.new_person(), suite.asked(suite.default_client)
    returned = suite.returned(person, suite.authorize(person, asked, nonce=None))
    assert suite.error(returned, asked) == "invalid_request"
    suite.sign_in(client=suite.default_client)


def oidcc_scope_profile(suite: Suite) -> None:
    assert suite.sign_in(scope="openid profile").userinfo["name"] == "Alice Archer"


def oidcc_scope_email(suite: Suite) -> None:
    userinfo = suite.sign_in(scope="openid email").userinfo
    assert (userinfo["email"], userinfo["email_verified"]) == (ALICE, True)


def oidcc_scope_address(suite: Suite) -> None:
    """Not supported, so that the suite skips it; a client that asks for it all the same signs in."""
    assert "address" not in suite.discovery()["scopes_supported"]
    suite.sign_in(scope="openid address")


def oidcc_scope_phone(suite: Suite) -> None:
    assert "phone" not in suite.discovery()["scopes_supported"]
    suite.sign_in(scope="openid phone")


def oidcc_scope_all(suite: Suite) -> None:
    userinfo = suite.sign_in(scope="openid email phone address profile").userinfo
    assert userinfo.keys() >= {"sub", "name", "email", "email_verified"}


def oidcc_alternate_happy_flow(suite: Suite) -> None:
    """Scopes and parameters in another order."""
    person, asked = suite.new_person(), suite.asked()
    address = suite.authorize(person, asked, scope="email openid").request.url
    backwards = address.copy_with(params=list(reversed(address.params.multi_items())))
    person = suite.new_person()
    suite.redeemed(suite.returned(person, person.open(str(backwards))), asked)


def oidcc_display_page(suite: Suite) -> None:
    suite.sign_in(display="page")


def oidcc_display_popup(suite: Suite) -> None:
    suite.sign_in(display="popup")


def oidcc_prompt_login(suite: Suite) -> None:
    person = suite.new_person()
    first = suite.sign_in(person)
    suite.wait(2)
    second = suite.sign_in(person, prompt="login")
    assert "password" in second.pages
    assert second.claims["auth_time"] > first.claims["auth_time"]


def oidcc_prompt_none_not_logged_in(suite: Suite) -> None:
    person, asked = suite.new_person(), suite.asked()
    returned = suite.returned(person, suite.authorize(person, asked, prompt="none"))
    assert suite.error(returned, asked) in UI_REQUIRED
    assert returned.pages == []


def oidcc_prompt_none_logged_in(suite: Suite) -> None:
    person = suite.new_person()
    the_same(suite.sign_in(person), suite.sign_in(person, prompt="none"))


def the_same(first: SignedIn, second: SignedIn) -> None:
    """The second sign-in asked for nothing, and says the same of the person."""
    assert second.pages == []
    assert (second.claims["auth_time"], second.claims["sub"]) == (first.claims["auth_time"], first.claims["sub"])


def oidcc_id_token_hint(suite: Suite) -> None:
    """The hint has no address of the person."""
    person = suite.new_person()
    first = suite.sign_in(person)
    assert "email" not in first.claims
    the_same(first, suite.sign_in(person, prompt="none", id_token_hint=first.tokens["id_token"]))


def oidcc_max_age_1(suite: Suite) -> None:
    person = suite.new_person()
    first = suite.sign_in(person)
    suite.wait(2)
    second = suite.sign_in(person, max_age="1")
    assert "password" in second.pages
    assert second.claims["auth_time"] > first.claims["auth_time"]


def oidcc_max_age_10000(suite: Suite) -> None:
    person = suite.new_person()
    first = suite.sign_in(person, max_age="15000")
    suite.wait(5)
    second = suite.sign_in(person, max_age="10000")
    the_same(first, second)


def oidcc_ensure_request_with_unknown_parameter_succeeds(suite: Suite) -> None:
    suite.sign_in(extra="foobar")


def oidcc_login_hint(suite: Suite) -> None:
    assert suite.sign_in(login_hint=ALICE).pages == ["password"]


def oidcc_ui_locales(suite: Suite) -> None:
    suite.sign_in(ui_locales="se")


def oidcc_claims_locales(suite: Suite) -> None:
    suite.sign_in(claims_locales="se")


def oidcc_ensure_request_with_acr_values_succeeds(suite: Suite) -> None:
    """It must not fail; `acr` would be better, and is a warning."""
    suite.sign_in(acr_values="1 2")


def oidcc_codereuse(suite: Suite) -> None:
    response = suite.exchange(suite.sign_in().code)
    assert (response.status_code, response.json()["error"]) == (400, "invalid_grant")


def oidcc_codereuse_30seconds(suite: Suite) -> None:
    signed_in = suite.sign_in()
    suite.wait(30)
    response = suite.exchange(signed_in.code)
    assert (response.status_code, response.json()["error"]) == (400, "invalid_grant")
    headers = {"Authorization": f"Bearer {signed_in.tokens['access_token']}"}
    assert loopback.get(suite.discovery()["userinfo_endpoint"], headers=headers).status_code == 401


def oidcc_ensure_registered_redirect_uri(suite: Suite) -> None:
    response = suite.authorize(suite.new_person(), suite.asked(), redirect_uri=f"{REDIRECT_URI}-of-nobody")
    assert response.status_code == 400
    assert "redirect_uri" in response.text
    assert Shown.by(response).title


def oidcc_ensure_post_request_succeeds(suite: Suite) -> None:
    person, asked = suite.new_person(), suite.asked()
    parameters = dict(suite.authorize(suite.new_person(), asked).request.url.params)
    response = person.browser.send("POST", suite.discovery()["authorization_endpoint"], parameters)
    suite.redeemed(suite.returned(person, response), asked)


def oidcc_server_client_secret_post(suite: Suite) -> None:
    assert "client_secret_post" in suite.discovery()["token_endpoint_auth_methods_supported"]
    suite.sign_in(client=suite.post_client)


def oidcc_request_uri_unsigned_supported_correctly_or_rejected_as_unsupported(suite: Suite) -> None:
    person, asked = suite.new_person(), suite.asked()
    response = suite.authorize(person, asked, request_uri="https://suite.example/request.jwt")
    assert suite.error(Returned(query_of(response.headers["location"]), []), asked) == "request_uri_not_supported"


def oidcc_unsigned_request_object_supported_correctly_or_rejected_as_unsupported(suite: Suite) -> None:
    person, asked = suite.new_person(), suite.asked()
    response = suite.authorize(person, asked, request="eyJhbGciOiJub25lIn0.e30.")
    assert suite.error(Returned(query_of(response.headers["location"]), []), asked) == "request_not_supported"


def oidcc_claims_essential(suite: Suite) -> None:
    """It must not fail; the name would be better, and is a warning: the parameter is not supported, says discovery."""
    suite.sign_in(claims=json.dumps({"userinfo": {"name": {"essential": True}}}))


def oidcc_ensure_request_object_with_redirect_uri(suite: Suite) -> None:
    """The redirect URI beside the request object is invalid: nobody may be redirected to the one within."""
    response = suite.authorize(
        suite.new_person(), suite.asked(), redirect_uri=f"{REDIRECT_URI}/other", request="eyJhbGciOiJub25lIn0.e30."
    )
    assert response.status_code == 400
    assert not response.has_redirect_location


def oidcc_refresh_token(suite: Suite) -> None:
    """The suite's clients are registered without refresh tokens, and it then skips the module."""
    assert "refresh_token" not in suite.sign_in().tokens


def oidcc_ensure_request_with_valid_pkce_succeeds(suite: Suite) -> None:
    person, asked = suite.new_person(), suite.asked()
    challenge = {"code_challenge": challenge_of(asked.verifier), "code_challenge_method": "S256"}
    returned = suite.returned(person, suite.authorize(person, asked, **challenge))
    suite.redeemed(returned, asked, **challenge)
