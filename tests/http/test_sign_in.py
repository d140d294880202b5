"""A person signs in to an application with their company's Microsoft account."""

import base64
import hashlib
import secrets
from urllib.parse import parse_qs, urlsplit

import jwt

from tests.http.conftest import Caller, Walk, sign_in


def test_a_person_signs_in(acme: Caller, operator: Caller, connect: Walk, browser, client, service) -> None:
    connect(acme)
    acme("PATCH", "/v1/accounts/acme/policy", json={"mode": "on"}, headers={"If-Match": "*"}).raise_for_status()
    app = {"name": "Unite", "redirectUris": ["http://localhost:9/cb"], "ssoSupported": True, "passwordSignInUri": "https://unite.example/pw"}
    r = operator("PUT", "/v1/applications/unite", json=app)
    assert r.status_code == 201, r.text
    verifier = secrets.token_urlsafe(48)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
    q = dict(client_id="unite", redirect_uri="http://localhost:9/cb", response_type="code", scope="openid email profile", state="s", nonce="n", code_challenge=challenge, code_challenge_method="S256", login_hint="alice@contoso.example")
    from local.demo_browser import Browser
    with Browser() as alice:
        r = alice.send("GET", str(client.build_request("GET", "/oauth2/authorize", params=q).url), {})
        assert r.status_code == 303, r.text
        page = alice.open(r.headers["location"])
        r = alice.send("POST", page.url.split("?")[0] if False else __import__("urllib.parse").parse.urljoin(page.url, page.forms[0].action), {**page.forms[0].fields, "email": "alice@contoso.example", "password": "Local-pass-1", "action": "sign_in"})
        assert r.status_code == 302, r.text
        r = alice.send("GET", r.headers["location"], {})
        assert r.status_code == 303, r.text
        got = {k: v[0] for k, v in parse_qs(urlsplit(r.headers["location"]).query).items()}
    print(got)
    assert got["state"] == "s" and got["iss"] == service.url
    r = client.post("/oauth2/token", data=dict(grant_type="authorization_code", code=got["code"], redirect_uri="http://localhost:9/cb", client_id="unite", code_verifier=verifier))
    assert r.status_code == 200, r.text
    keys = jwt.PyJWKSet.from_dict(client.get("/oauth2/jwks").json())
    tok = r.json()["id_token"]
    claims = jwt.decode(tok, keys[jwt.get_unverified_header(tok)["kid"]], audience="unite", issuer=service.url, algorithms=["RS256"])
    print(claims)
    r2 = client.get("/oauth2/userinfo", headers={"Authorization": "Bearer " + r.json()["access_token"]})
    print(r2.text)
    assert r2.json()["email"] == "alice@contoso.example"
