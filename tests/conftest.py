"""Fixtures for every test."""

from collections.abc import Callable

import pytest

type Size = Callable[[int], int]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--slow", action="store_true", help="give large stores and files their full size, as CI does")


@pytest.fixture
def size(pytestconfig: pytest.Config) -> Size:
    """The size of a large store or file: `size(100_000)` is that many with `--slow`, and a tenth of it without."""
    return lambda full: full if pytestconfig.getoption("slow") else full // 10
