"""Discovery, the control panel's issuer, the control API, and the process itself."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
import requests

from local import loopback
from local.cast.person import PASSWORD
from local.entra.directory import load
from local.entra.server import DIRECTORY_FILE, LocalEntra
from tests.local_entra.conftest import CONTOSO, FABRIKAM, Client

WELL_KNOWN = "v2.0/.well-known/openid-configuration"


@pytest.mark.parametrize(
    ("tenant", "issuer"),
    [
        (CONTOSO, CONTOSO),
        ("contoso-mail.example", CONTOSO),
        ("organizations", "{tenantid}"),
        ("common", "{tenantid}"),
    ],
)
def test_discovery_names_the_issuer(client: Client, tenant: str, issuer: str) -> None:
    metadata = client.graph(f"{client.entra.https}/{tenant}/{WELL_KNOWN}").json()

    assert metadata["issuer"] == f"{client.entra.https}/{issuer}/v2.0"
    assert metadata["authorization_endpoint"].startswith(client.entra.http)
    assert metadata["end_session_endpoint"].startswith(client.entra.http)
    assert metadata["token_endpoint"].startswith(client.entra.https)
    keys = client.graph(metadata["jwks_uri"]).json()["keys"]
    assert len(keys) == len({key["kid"] for key in keys}) >= 2
    assert {key["issuer"] for key in keys} == {metadata["issuer"]}
    assert not any("d" in key for key in keys)


def test_an_unknown_tenant_has_no_discovery(client: Client) -> None:
    refused = client.graph(f"{client.entra.https}/nowhere.example/{WELL_KNOWN}")

    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_tenant")
    assert refused.json()["error_codes"] == [90002]


def test_hostile_discovery_out_of_order(client: Client, control: httpx.Client) -> None:
    control.put("/hostile", json={"discovery_status": 503}).raise_for_status()

    assert client.graph(f"{client.entra.https}/{CONTOSO}/{WELL_KNOWN}").status_code == 503
    control.delete("/hostile").raise_for_status()
    assert client.graph(f"{client.entra.https}/{CONTOSO}/{WELL_KNOWN}").status_code == 200


def test_the_back_channel_needs_the_throw_away_ca(entra: LocalEntra) -> None:
    with requests.Session() as session:
        session.trust_env = False
        with pytest.raises(requests.exceptions.SSLError):
            session.get(f"{entra.https}/common/{WELL_KNOWN}", timeout=5)


# -- the control panel's issuer --------------------------------------------------


def panel_claims(entra: LocalEntra, token: str) -> dict[str, Any]:
    with loopback.client() as client:
        issuer = f"{entra.http}/control-panel"
        metadata = client.get(f"{issuer}/.well-known/openid-configuration").json()
        keys = jwt.PyJWKSet.from_dict(client.get(metadata["jwks_uri"]).json())
    claims: dict[str, Any] = jwt.decode(
        token,
        keys[jwt.get_unverified_header(token)["kid"]],
        algorithms=["RS256"],
        audience="azure-sso",
        issuer=issuer,
    )
    return claims


def panel_token(entra: LocalEntra, **form: str) -> httpx.Response:
    data = {"grant_type": "password", "username": "sam", "password": PASSWORD} | form
    return loopback.post(f"{entra.http}/control-panel/token", data=data)


def test_a_security_manager_gets_a_token(entra: LocalEntra) -> None:
    claims = panel_claims(entra, panel_token(entra).json()["access_token"])

    assert (claims["roles"], claims["account_id"]) == (["SecurityManager"], "contoso")
    assert claims["exp"] - claims["iat"] == 3600
    assert {"sub", "name", "nbf"} <= claims.keys()


def test_an_operator_belongs_to_no_account(entra: LocalEntra) -> None:
    claims = panel_claims(entra, panel_token(entra, username="olga").json()["access_token"])

    assert claims["roles"] == ["Operator"]
    assert "account_id" not in claims


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"password": "wrong"}, "invalid_grant"),
        ({"username": "nobody"}, "invalid_grant"),
        ({"grant_type": "client_credentials"}, "unsupported_grant_type"),
    ],
)
def test_the_control_panel_refuses(entra: LocalEntra, form: dict[str, str], error: str) -> None:
    refused = panel_token(entra, **form)

    assert (refused.status_code, refused.json()["error"]) == (400, error)


def test_a_forged_panel_token_says_what_was_asked(entra: LocalEntra, control: httpx.Client) -> None:
    wanted = {"username": "olga", "claims": {"aud": "azure-sso", "name": None, "extra": 1}}
    token = control.post("/control-panel/token", json=wanted).json()["access_token"]

    claims = panel_claims(entra, token)

    assert claims["extra"] == 1
    assert "name" not in claims


@pytest.mark.parametrize("forgery", ["stranger", "none", "hs256", "tampered"])
def test_a_forged_panel_signature_does_not_verify(entra: LocalEntra, control: httpx.Client, forgery: str) -> None:
    token = control.post("/control-panel/token", json={"signature": forgery}).json()["access_token"]

    with pytest.raises(jwt.InvalidTokenError):
        panel_claims(entra, token)


def test_the_control_panels_keys_roll_over(entra: LocalEntra, control: httpx.Client) -> None:
    before = panel_token(entra).json()["access_token"]
    control.post("/control-panel/keys/rollover").raise_for_status()
    after = panel_token(entra).json()["access_token"]

    assert panel_claims(entra, before)["sub"] == panel_claims(entra, after)["sub"]
    assert jwt.get_unverified_header(before)["kid"] != jwt.get_unverified_header(after)["kid"]


# -- the control API --------------------------------------------------


def test_an_unknown_mode_is_named(control: httpx.Client) -> None:
    refused = control.put("/hostile", json={"consent_teant": "x"})

    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "consent_teant")


def test_a_domain_is_verified_in_one_tenant_only(control: httpx.Client) -> None:
    assert control.put(f"/tenants/{FABRIKAM}/domains", json=["contoso.example"]).status_code == 422
    assert control.put(f"/tenants/{FABRIKAM}/domains", json="contoso.example").status_code == 400
    assert control.put("/tenants/nowhere.example/domains", json=[]).status_code == 404


def test_a_member_is_renamed_with_their_mail_and_as_a_guest_elsewhere(control: httpx.Client) -> None:
    gina = "fab00000-0000-4000-8000-0000000091a0"
    path = f"/tenants/{FABRIKAM}/users/{gina}/rename"
    control.post(path, json={"user_principal_name": "gina.new@fabrikam.example"}).raise_for_status()
    users = {user["oid"]: user for tenant in control.get("/state").json()["tenants"] for user in tenant["users"]}
    assert (users[gina]["user_principal_name"], users[gina]["mail"]) == ("gina.new@fabrikam.example",) * 2
    assert users["c0c00000-0000-4000-8000-0000000091a0"]["home_account"] == "gina.new@fabrikam.example"
    refused = {
        "fiona@fabrikam.example": 422,
        "gina@contoso.example": 400,
    }
    for name, status in refused.items():
        assert control.post(path, json={"user_principal_name": name}).status_code == status, name
    guest = f"/tenants/{CONTOSO}/users/c0c00000-0000-4000-8000-0000000091a0/rename"
    assert control.post(guest, json={"user_principal_name": "gina@contoso.example"}).status_code == 400


def test_reset_puts_everything_back(control: httpx.Client) -> None:
    fresh = control.get("/state").json()
    control.put("/hostile", json={"consent_anyone": True}).raise_for_status()
    control.post(f"/consents/{CONTOSO}/grant").raise_for_status()
    control.put(f"/tenants/{CONTOSO}/domains", json=["new.example"]).raise_for_status()
    control.put(
        f"/tenants/{CONTOSO}/users/c0c00000-0000-4000-8000-000000000e44",
        json={"user_principal_name": "new@contoso.example", "display_name": "New"},
    ).raise_for_status()
    assert control.get("/state").json() != fresh

    control.post("/reset").raise_for_status()

    assert control.get("/state").json() == fresh


def test_without_control_there_is_no_control(tmp_path: Path) -> None:
    with LocalEntra(state_dir=tmp_path, with_control=False) as server:
        assert loopback.get(f"{server.http}/_local/state").status_code == 404


def test_the_front_page_says_who_is_who(entra: LocalEntra) -> None:
    page = loopback.get(entra.http).text

    assert "ada@contoso.example" in page
    assert "stands in for Microsoft" in page


# -- the directory file and the process --------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after", "complaint"),
    [
        (
            'name = "northwind.example"',
            'name = "contoso.example"',
            "verified or registered twice: contoso.example",
        ),
        ('"nora@northwind.example"', '"nora@elsewhere.example"', "under no verified domain"),
        ('home_account = "gina@', 'home_account = "nobody@', "has no home account"),
        ('roles = ["Reports Reader"]', 'roles = ["King"]', "Input should be"),
        ("is_default = true }", "is_default = false }", "one default and one initial"),
    ],
)
def test_a_directory_that_entra_would_not_have_is_refused(
    tmp_path: Path, before: str, after: str, complaint: str
) -> None:
    original = DIRECTORY_FILE.read_text(encoding="utf-8")
    changed = tmp_path / "directory.toml"
    changed.write_text(original.replace(before, after), encoding="utf-8")

    with pytest.raises(ValueError, match=complaint):
        load(changed)


def test_a_redirect_uri_on_plain_http_is_for_localhost_only(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="must begin with https"):
        LocalEntra(state_dir=tmp_path, service_url="http://service.example")


def start(tmp_path: Path, *more: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "local.entra", "--http-port", "0", "--https-port", "0"]
    return subprocess.Popen(
        [*command, "--state-dir", str(tmp_path), *more],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_the_process_says_one_line_and_ends_quietly(tmp_path: Path, ending: signal.Signals) -> None:
    with start(tmp_path) as process:
        assert process.stdout is not None
        said = json.loads(process.stdout.readline())
        assert loopback.get(said["http"]).status_code == 200
        assert Path(said["ca"]).read_text(encoding="ascii").startswith("-----BEGIN CERTIFICATE-----")

        os.kill(process.pid, ending)
        rest = process.communicate(timeout=10)

    assert (process.returncode, *rest) == (0, "", "")


def test_a_taken_port_is_said_in_one_sentence(entra: LocalEntra, tmp_path: Path) -> None:
    with start(tmp_path, "--http-port", entra.http.rpartition(":")[2]) as process:
        out, said = process.communicate(timeout=10)

    assert (process.returncode, out) == (1, "")
    assert said.startswith("local Entra can't start: ")
    assert said.count("\n") == 1
