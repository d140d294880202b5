"""An endpoint answers only as Azure knows it. `test_cold_start.py` shows when its resource is imported."""

from pathlib import Path
from typing import Any

import pytest
from azure.functions import HttpRequest

from functions.app import build_resources
from functions.http.index import Indexed, read_index, written
from functions.http.resource import Resource
from shared.assembly import assemble
from tests.support.ports import fakes
from tests.unit.http.test_endpoint import Invocation

INDEX = {each.function: each for each in read_index()}


def resource_of(indexed: Indexed) -> Resource:
    (resource,) = (each for each in build_resources(assemble(fakes())) if each.name == indexed.resource)
    return resource


CHANGES: dict[str, dict[str, Any]] = {
    "the key that Azure demands": {"level": "ANONYMOUS"},
    "the method": {"method": "GET"},
    "the path": {"path": "/v1/resolved"},
    "the name": {"function": "resolve"},
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
async def test_an_endpoint_that_azure_knows_otherwise_does_not_answer(change: dict[str, Any]) -> None:
    """Azure has checked the key that the index names, so the index must name the one that the signature demands."""
    indexed = INDEX["resolve_email"]._replace(**change)
    answer = resource_of(indexed).answer(indexed)
    with pytest.raises(TypeError, match="run `make openapi`"):
        await answer(HttpRequest("POST", "/v1/resolve", body=b""), Invocation())


def test_an_index_is_read_as_it_was_written(tmp_path: Path) -> None:
    file = tmp_path / "index.json"
    file.write_text(written(read_index()), encoding="utf-8")
    assert read_index(file) == read_index() == tuple(INDEX.values())
    assert file.read_text(encoding="utf-8").count("\n") == len(INDEX) + 2
