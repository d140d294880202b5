"""The cold start: importing the app in a fresh process, against importing the libraries that it cannot do without.

The app is imported from its unpacked zip, which contains its bytecode, and nothing is written there, as in Azure.
Azure's time to place a worker and to fetch the package is not included; the sizes show how much there is to fetch.
"""

import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping
from importlib.metadata import distribution
from pathlib import Path
from shutil import copytree, ignore_patterns
from statistics import median
from tempfile import TemporaryDirectory
from typing import Final

from bench.report import Table, figure
from bench.scale import Scale
from bench.stage import settings_without_entra
from local.deployable import unpacked
from local.processes import ROOT, azurite
from shared.wiring import TABLE_NAMES

FLOOR: Final = "import azure.functions, azure.data.tables.aio, pydantic"
"""The three main imports."""

MODEL: Final = f"{FLOOR}; type('Model', (pydantic.BaseModel,), {{}})"
"""The three main imports and one model, because pydantic imports most of itself when the first is made."""

_APP: Final = "import function_app"
_RESOLVED: Final = """
import asyncio, function_app
from azure.functions import HttpRequest

class Invocation:
    invocation_id = "first"

(resolve,) = (each for each in function_app.app.get_functions() if each.get_function_name() == "resolve_email")
body = b'{"email": "alice@contoso.example"}'
req = HttpRequest("POST", "/v1/resolve", headers={"content-type": "application/json"}, body=body)
answer = asyncio.run(resolve.get_user_function()(req, Invocation()))
assert answer.status_code == 200, answer.get_body()
"""
"""What the import leaves for the first request: the function answers from an empty store, as the worker calls it."""

_TIMED: Final = "import time\nbegan = time.process_time()\n{statement}\nprint(time.process_time() - began)"
"""In processor time, since an import waits for nothing but the processor, and for that other processes wait, too."""

_IMPORTED: Final = re.compile(r"import time:\s+(\d+) \|\s+\d+ \|\s+(\S+)")
_SLOWEST: Final = 10


def measure(scale: Scale) -> list[Table]:
    """Import each in turn, in processes of its own."""
    with TemporaryDirectory(prefix="bench-start-") as scratch, azurite() as store:
        store.create_tables(TABLE_NAMES)
        zipped, bare = Path(scratch) / "package.zip", Path(scratch) / "bare"
        package = unpacked(ROOT, zipped)
        copytree(package, bare, ignore=ignore_patterns("__pycache__"))
        size = zipped.stat().st_size
        environment = settings_without_entra(Path(scratch), "http://localhost:9", store.connection_string)
        cases = {
            "the three imports": (FLOOR, package),
            "with a first model": (MODEL, package),
            "import function_app": (_APP, package),
            "and the first resolve": (_RESOLVED, package),
            "without its bytecode": (_APP, bare),
        }
        seconds: dict[str, list[float]] = {name: [] for name in cases}
        for _ in range(3 * scale.rounds):
            for name, (statement, folder) in cases.items():
                timed = _run(["-c", _TIMED.format(statement=statement)], folder, environment)
                seconds[name].append(float(timed.stdout))
        listings = [_run(["-X", "importtime", "-c", _APP], package, environment).stderr for _ in range(scale.rounds)]
    rows = [
        [name, *(figure(_ratio(times, seconds[floor])) for floor in [*cases][:2]), figure(1000 * median(times))]
        for name, times in seconds.items()
    ]
    return [
        Table(
            "start", ["in a fresh process", "to three imports", "to a first model", "CPU ms"], rows, 3 * scale.rounds
        ),
        Table(
            "imports",
            ["of the import of function_app", "modules", "ms of their own"],
            _by_package(listings),
            scale.rounds,
        ),
        Table("slowest", ["slowest modules", "ms of their own"], _slowest(listings), scale.rounds),
        Table("sizes", ["to be fetched", "MB"], [["the zip", _megabytes(size)], ["its packages", _installed()]]),
    ]


def _run(arguments: list[str], folder: Path, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-B", *arguments], env=environment, cwd=folder, capture_output=True, text=True, check=True
    )


def _ratio(times: Iterable[float], floor: Iterable[float]) -> float:
    return median(one / other for one, other in zip(times, floor, strict=True))


def _own_times(listings: list[str]) -> dict[str, float]:
    """The milliseconds that each module took without what it imports: the median of several imports."""
    times: dict[str, list[float]] = defaultdict(list)
    for listing in listings:
        for microseconds, module in _IMPORTED.findall(listing):
            times[module].append(int(microseconds) / 1000)
    return {module: median(found) for module, found in times.items()}


def _by_package(listings: list[str]) -> list[list[str]]:
    packages: dict[str, list[float]] = defaultdict(list)
    for module, time in _own_times(listings).items():
        packages[_package_of(module)].append(time)
    ordered = sorted(packages.items(), key=lambda item: -sum(item[1]))
    return [[name, str(len(times)), figure(sum(times))] for name, times in ordered[:_SLOWEST]]


def _package_of(module: str) -> str:
    top = module.partition(".")[0]
    if top in sys.stdlib_module_names:
        return "Python's own"
    if top == "azure":
        return ".".join(module.split(".")[:2])
    return top


def _slowest(listings: list[str]) -> list[list[str]]:
    ordered = sorted(_own_times(listings).items(), key=lambda item: -item[1])
    return [[module, figure(time)] for module, time in ordered[:_SLOWEST]]


def _installed() -> str:
    """The size of the installed packages of requirements.txt, without compiled bytecode."""
    pinned = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    names = [line.partition("==")[0] for line in pinned if "==" in line]
    files = [Path(str(file.locate())) for name in names for file in distribution(name).files or []]
    return _megabytes(sum(file.stat().st_size for file in files if file.suffix != ".pyc" and file.is_file()))


def _megabytes(size: int) -> str:
    return figure(size / 1_000_000)
