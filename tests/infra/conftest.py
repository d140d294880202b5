"""The Bicep CLI, started once for all tests of a worker.

Without one they are skipped, which `.ci/run` does not let happen.
"""

import shutil
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

from infra.plans.bicep import INFRA, MISSING, NoBicepError, config
from tests.infra.compiler import Compiler
from tests.infra.templates import Template

type Compiled = Callable[[str], Template]


@pytest.fixture(scope="session")
def compiler() -> Iterator[Compiler]:
    try:
        started = Compiler()
    except NoBicepError:
        pytest.skip(MISSING)
    with started:
        yield started


def copy_of_infra(folder: Path) -> Path:
    """A copy of the Bicep, with the configuration for this machine."""
    shutil.copytree(INFRA, folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    shutil.copy(config(), folder)
    return folder


@pytest.fixture
def copied(compiler: Compiler, tmp_path: Path) -> Path:
    """A copy of the Bicep, to change."""
    return copy_of_infra(tmp_path / "infra")


@pytest.fixture(scope="session")
def compiled(compiler: Compiler, tmp_path_factory: pytest.TempPathFactory) -> Compiled:
    """The template of a stage, such as main.bicep."""
    folder = copy_of_infra(tmp_path_factory.mktemp("compiled") / "infra")
    return cache(lambda stage: Template(stage, compiler.build(folder / stage)))
