"""Fixtures for every test."""

import gc
from collections.abc import Callable

import pytest

type Size = Callable[[int], int]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--slow",
        action="store_true",
        help="run every test in a browser, and give large stores and files their full size, as CI does",
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave what is marked as slow to CI."""
    if not config.getoption("slow"):
        slow = [each for each in items if each.get_closest_marker("slow")]
        items[:] = [each for each in items if not each.get_closest_marker("slow")]
        config.hook.pytest_deselected(items=slow)


def pytest_collection_finish() -> None:
    """Look for garbage less often, and never among the thousands of cases and modules that stay until the end."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


@pytest.fixture
def size(pytestconfig: pytest.Config) -> Size:
    """The size of a large store or file: `size(100_000)` is that many with `--slow`, and a tenth of it without."""
    return lambda full: full if pytestconfig.getoption("slow") else full // 10
