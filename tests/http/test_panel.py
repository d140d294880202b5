"""The panel's script: a stable address that is revalidated, one with a hash that never changes, and both compressed."""

import gzip
import hashlib
from pathlib import Path

import httpx
import pytest
from azure.functions import HttpRequest

from functions.http.scripts import PanelFile, Scripts
from shared.kernel.refusals import NotFound

STABLE = "/panel/azure-sso-panel.js"
NOT_ZIPPED = {"Accept-Encoding": "identity"}


@pytest.mark.parametrize("refused", ["gzip;q=0", "br, GZIP; Q=0.000", "identity;q=0.5, gzip;q=0.", "ungzipped"])
def test_a_caller_that_refuses_gzip_gets_none(client: httpx.Client, refused: str) -> None:
    answer = client.get(STABLE, headers={"Accept-Encoding": refused})
    assert (answer.status_code, answer.headers.get("content-encoding")) == (200, None)


def test_the_stable_address_is_revalidated_and_costs_nothing_again(client: httpx.Client) -> None:
    first = client.get(STABLE)
    assert first.status_code == 200
    assert first.headers["content-type"] == "text/javascript; charset=utf-8"
    assert (first.headers["content-encoding"], first.headers["vary"]) == ("gzip", "Accept-Encoding")
    assert first.headers["cache-control"] == "public, no-cache"
    again = client.get(STABLE, headers={"If-None-Match": f'"other", {first.headers["etag"]}'})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
    assert client.get(STABLE, headers={"If-None-Match": '"0123"'}).status_code == 200


def test_a_caller_that_reads_no_gzip_gets_the_script_as_it_is(client: httpx.Client) -> None:
    plain, zipped = client.get(STABLE, headers=NOT_ZIPPED), client.get(STABLE)
    assert "content-encoding" not in plain.headers
    assert plain.content == zipped.content
    assert plain.headers["etag"] != zipped.headers["etag"], "one address, two representations"


def test_the_address_with_the_hash_is_kept_for_ever(client: httpx.Client) -> None:
    digest = hashlib.sha256(client.get(STABLE).content).hexdigest()[:16]
    hashed = client.get(f"/panel/azure-sso-panel.{digest}.js")
    assert hashed.status_code == 200
    assert hashed.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert client.get("/panel/azure-sso-panel.0123456789abcdef.js").status_code == 404


def test_what_is_loaded_later_has_an_address_of_its_own(client: httpx.Client) -> None:
    script = client.get(STABLE).text
    name = script.partition('import("./')[2].partition('"')[0]
    later = client.get(f"/panel/{name}")
    assert later.status_code == 200
    assert later.headers["cache-control"].endswith("immutable")


def test_any_page_may_load_it_so_that_it_can_say_what_is_wrong_there(client: httpx.Client) -> None:
    answer = client.get(STABLE, headers={"Origin": "https://anywhere.example"})
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("name", ["..%2f..%2fhost.json", "azure-sso-panel.js.map", "azure-sso-panel.ts", "x.js"])
def test_no_other_file_can_be_named(name: str, client: httpx.Client) -> None:
    assert client.get(f"/panel/{name}").status_code in {404, 422}


def test_it_is_small(client: httpx.Client) -> None:
    assert len(gzip.compress(client.get(STABLE).content)) < 60 * 1024


def test_a_deployment_without_the_panel_says_what_is_missing(tmp_path: Path) -> None:
    request = HttpRequest("GET", f"https://sso.example{STABLE}", body=b"")
    with pytest.raises(NotFound, match="make panel"):
        Scripts(tmp_path).response(PanelFile("azure-sso-panel.js"), request)
