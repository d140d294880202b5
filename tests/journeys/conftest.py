"""The stack as a developer runs it: every part a process of its own, on free ports."""

from collections.abc import Iterator

import pytest

from local.cast.stack import Entra, azurite, local_entra
from local.processes import Azurite, free_port
from shared.wiring import TABLE_NAMES


@pytest.fixture
def port() -> int:
    """Where the service of this journey answers."""
    return free_port()


@pytest.fixture
def url(port: int) -> str:
    return f"http://localhost:{port}"


@pytest.fixture
def store() -> Iterator[Azurite]:
    with azurite() as running:
        running.create_tables(TABLE_NAMES)
        yield running


@pytest.fixture
def entra(url: str) -> Iterator[Entra]:
    with local_entra(url) as running:
        yield running
