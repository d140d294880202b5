"""Fixtures for every test."""

import gc
from collections.abc import Callable

import pytest
from hypothesis import settings

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


def pytest_configure(config: pytest.Config) -> None:
    """Invented examples are the same in every run, and more of them with `--slow`. A busy machine is no failure."""
    examples = 100 if config.getoption("slow") else 25
    settings.register_profile("repeatable", derandomize=True, deadline=None, max_examples=examples)
    settings.load_profile("repeatable")


def pytest_collection_finish() -> None:
    """Look for garbage less often, and never among the thousands of cases and modules that stay until the end."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


@pytest.fixture
def size(pytestconfig: pytest.Config) -> Size:
    """The size of a large store or file: `size(100_000)` is that many with `--slow`, and a tenth of it without."""
    return lambda full: full if pytestconfig.getoption("slow") else full // 10
