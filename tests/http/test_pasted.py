"""What is copied along with a name and cannot be seen: around every address, domain and id, wherever one is sent."""

import json
from base64 import b64encode
from itertools import product
from urllib.parse import parse_qs, quote, urlsplit

import httpx
import pytest

from tests.http.conftest import CONTOSO, Caller, Resolve
from tests.http.signing_in import Asked, Register

ANY = {"If-Match": "*"}
ACME = "/v1/accounts/acme"
EXCEPTIONS = f"{ACME}/exceptions"
ALICE = "alice@contoso.example"

SPACES = {
    "tab": "\t",
    "CR LF": "\r\n",
    "blank": " ",
    "no-break space": "\u00a0",
    "narrow no-break space": "\u202f",
    "zero width space": "\u200b",
    "byte order mark": "\ufeff",
    "left-to-right mark": "\u200e",
    "several": "\u202a\u200e \u2003\u2060",
}


@pytest.fixture(params=SPACES.values(), ids=SPACES)
def space(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def around(space: str, name: str) -> str:
    return f"{space}{name}{space}"


def fields(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 422, answer.text
    return [error["field"] for error in answer.json()["errors"]]


def test_around_an_address_and_a_client_id_in_json(contoso: Caller, unite: Asked, resolve: Resolve, space: str) -> None:
    for email, application in ((around(space, ALICE), "unite"), (ALICE, around(space, "unite"))):
        assert resolve.method(email, application) == "sso"
    added = contoso("POST", EXCEPTIONS, json={"email": around(space, ALICE), "reason": around(space, "Kiosk")})
    assert (added.json()["email"], added.json()["reason"]) == (ALICE, "Kiosk")
    (found,) = contoso("POST", f"{EXCEPTIONS}/search", json={"email": around(space, ALICE)}).json()["items"]
    assert found["exceptionId"] == added.json()["exceptionId"]
    off = {"applicationsOff": [around(space, "unite")]}
    assert contoso("PATCH", f"{ACME}/policy", json=off, headers=ANY).json()["applicationsOff"] == ["unite"]
    for inside in (f"ali{space}ce@contoso.example", f"alice@con{space}toso.example"):
        assert fields(resolve(inside)) == fields(contoso("POST", EXCEPTIONS, json={"email": inside, "reason": "x"}))
    assert fields(resolve(ALICE, f"uni{space}te")) == ["application"]


def test_around_a_domain_and_a_product_of_an_account(operator: Caller, space: str) -> None:
    body = {"name": "Acme", "products": [around(space, "Unite")], "domains": [around(space, "contoso.example")]}
    told = operator("PUT", around_in_path(space, "/v1/accounts/", "acme"), json=body).json()
    assert (told["accountId"], told["products"], told["domains"]) == ("acme", ["Unite"], ["contoso.example"])
    for inside in ("con{}toso.example", "b\u00fc{}cher.example"):
        changed = body | {"domains": [inside.format(space)]}
        assert fields(operator("PUT", "/v1/accounts/acme", json=changed, headers=ANY)) == ["domains.0"]


def around_in_path(space: str, before: str, name: str, after: str = "") -> str:
    return f"{before}{quote(around(space, name))}{after}"


def test_around_an_id_and_a_domain_in_a_path(contoso: Caller, operator: Caller, unite: Asked, space: str) -> None:
    added = contoso("POST", EXCEPTIONS, json={"email": ALICE, "reason": "x"}).json()
    for caller, path in [
        (contoso, around_in_path(space, "/v1/accounts/", "acme", "/policy")),
        (contoso, around_in_path(space, f"{EXCEPTIONS}/", added["exceptionId"])),
        (operator, around_in_path(space, "/v1/applications/", "unite")),
    ]:
        assert caller("GET", path).status_code == 200
    switched = contoso(
        "PATCH",
        around_in_path(space, f"{ACME}/domains/", "contoso-mail.example"),
        json={"enabled": False},
        headers=ANY,
    )
    assert {each["domain"]: each["state"] for each in switched.json()["items"]}["contoso-mail.example"] == "off"
    assert contoso("DELETE", around_in_path(space, f"{ACME}/links/", "x" * 43)).status_code == 404
    for path in (f"/v1/applications/{quote(f'uni{space}te')}", f"/v1/accounts/{quote(f'ac{space}me')}"):
        assert fields(operator("GET", path))


def test_around_every_cell_of_a_file_and_every_field_of_an_array(acme: Caller, space: str) -> None:
    cells = ["alice@contoso.example", "Kiosk", "2099-01-01T00:00:00Z"]
    names = ["email", "reason", "expiresAt"]
    rows = ",".join(names) + "\n" + ",".join(f'"{around(space, cell)}"' for cell in cells)
    array = [{name: around(space, cell) for name, cell in zip(names, cells, strict=True)}]
    for content, media in ((rows, "text/csv"), (json.dumps(array), "application/json")):
        answer = acme("POST", EXCEPTIONS, content=content, headers={"Content-Type": media})
        assert (answer.status_code, answer.json()["problems"]) == (200, [])
        (entry,) = acme("GET", EXCEPTIONS).json()["items"]
        assert [entry[name] for name in names] == cells
        acme("DELETE", f"{EXCEPTIONS}/{entry['exceptionId']}", headers=ANY)


def test_around_what_a_person_is_searched_and_erased_by(contoso: Caller, space: str) -> None:
    added = contoso("POST", EXCEPTIONS, json={"email": ALICE, "reason": "Kiosk"}).json()
    (found,) = contoso("POST", f"{EXCEPTIONS}/search", json={"text": around(space, "kios")}).json()["items"]
    assert found["exceptionId"] == added["exceptionId"]
    assert fields(contoso("POST", f"{EXCEPTIONS}/search", json={"text": space}))
    links = f"{ACME}/links"
    nobody = {"items": [], "continuationToken": None}
    assert contoso("POST", f"{links}/search", json={"email": around(space, ALICE)}).json() == nobody
    for chosen in ({"tenantId": around(space, CONTOSO)}, {"domain": around(space, "contoso.example")}):
        assert contoso("POST", f"{links}/release", json=chosen).json()["released"] == 0
    started = {"tenant": around(space, "contoso.example")}
    assert contoso("POST", f"{ACME}/connection", json=started).status_code == 201
    person = {"email": around(space, ALICE), "subject": around(space, "panel-user-sam")}
    erased = contoso("POST", f"{ACME}/people/erase", json=person).json()
    assert (erased["exceptions"], len(erased["references"])) == (1, 2), "Sam and Alice"


def test_around_every_name_and_address_of_an_application(operator: Caller, space: str) -> None:
    addresses = {"passwordSignInUri": "https://x.example/p", "backchannelLogoutUri": "https://x.example/b"}
    lists = {"redirectUris": ["https://x.example/r"], "postLogoutRedirectUris": ["https://x.example/o"]}
    wanted = {"name": "Unite", "requiresProduct": "Unite", **addresses}
    pasted = {name: around(space, text) for name, text in wanted.items()}
    pasted_lists = {name: [around(space, each) for each in urls] for name, urls in lists.items()}
    body = {"ssoSupported": True, **pasted, **pasted_lists}
    told = operator("PUT", "/v1/applications/unite", json=body).json()
    assert {name: told[name] for name in (*wanted, *lists)} == wanted | lists
    inside = {**body, "redirectUris": [f"https://x.example/{space}r"]}
    assert fields(operator("PUT", "/v1/applications/unite", json=inside, headers=ANY)) == ["redirectUris.0"]
    for path in ("/v1/applications/unite", ACME):
        assert fields(operator("PUT", path, json={"name": space, "ssoSupported": True}, headers=ANY))[0] == "name"


def test_around_an_address_of_an_authorization_request(
    contoso: Caller, unite: Asked, client: httpx.Client, subtests: pytest.Subtests
) -> None:
    for method, (name, space) in product(("GET", "POST"), SPACES.items()):
        with subtests.test(name, method=method):
            parameters = unite.parameters() | {"login_hint": around(space, "carol@contoso-mail.example")}
            headers = {"Sec-Fetch-Site": "same-origin"}
            sent = {"params": parameters} if method == "GET" else {"data": parameters, "headers": headers}
            answer = client.request(method, "/oauth2/authorize", **sent)
            assert answer.status_code == 303, answer.text
            assert parse_qs(urlsplit(answer.headers["Location"]).query)["login_hint"] == ["carol@contoso-mail.example"]


def test_a_client_names_itself_to_the_letter(
    register: Register, operator: Caller, unite: Asked, client: httpx.Client, space: str
) -> None:
    """Programs send it, not people, and compare it with the `aud` of their ID tokens, which has no space."""
    page = client.get("/oauth2/authorize", params=unite.parameters() | {"client_id": around(space, "unite")})
    assert page.status_code == 400
    assert "client_id is missing or malformed" in page.text
    register("portal", tokenEndpointAuthMethod="client_secret_basic").raise_for_status()
    secret = operator("POST", "/v1/applications/portal/secret", headers=ANY).json()["clientSecret"]
    basic = b64encode(f"{quote(around(space, 'portal'))}:{secret}".encode()).decode()
    form = {"grant_type": "authorization_code", "code": "x" * 43, "redirect_uri": "https://x.example"}
    answer = client.post("/oauth2/token", data=form, headers={"Authorization": f"Basic {basic}"})
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
