"""What only the Bicep CLI can say: that it takes all files as they are, without a warning, and plans what is committed.

Skipped without a CLI, which `.ci/run` does not let happen.
"""

import json
import re
import shutil
from difflib import unified_diff
from pathlib import Path

import pytest

from infra.plans import PLANS
from infra.plans.bicep import DEPLOYED_TO, INFRA, RefusedError, bicep, write_snapshot
from tests.infra.plans import Infra, parameters_of, read_plan
from tests.infra.policy import check
from tests.infra.policy.expectations import expectations
from tests.infra.templates import needs_bicep

FILES = sorted([*INFRA.rglob("*.bicep"), *INFRA.rglob("*.bicepparam")])

pytestmark = pytest.mark.usefixtures("_bicep")


@pytest.fixture(scope="session")
def _bicep() -> None:
    needs_bicep()


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """A copy of the Bicep, to change."""
    return Path(shutil.copytree(INFRA, tmp_path / "infra", ignore=shutil.ignore_patterns("*.py", "__pycache__")))


def test_the_compiler_and_its_linter_have_nothing_to_say() -> None:
    ended = bicep("lint", "--pattern", INFRA / "**" / "*.bicep*")
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")


def test_every_file_is_formatted(copied: Path) -> None:
    ended = bicep("format", "--pattern", copied / "**" / "*.bicep*")
    assert ended.returncode == 0, ended.stderr
    assert {file for file in FILES if (copied / file.relative_to(INFRA)).read_bytes() != file.read_bytes()} == set()


@pytest.mark.parametrize("plan", PLANS)
def test_a_plan_is_what_the_bicep_makes_of_it(plan: str, copied: Path) -> None:
    """By a new one: `--mode validate` of 0.49.2 throws at resources of Microsoft Graph, which have no id."""
    write_snapshot(copied / "plans" / f"{plan}.bicepparam")
    committed, made = (folder / "plans" / f"{plan}.snapshot.json" for folder in (INFRA, copied))
    difference = unified_diff(committed.read_text("utf-8").splitlines(), made.read_text("utf-8").splitlines())
    assert "\n".join(difference) == "", "Run `make plan`."


def test_a_plan_that_no_longer_holds_is_noticed(copied: Path) -> None:
    file = copied / "modules" / "key-vault.bicep"
    changed(file, "keySize: 2048", "keySize: 3072")
    ended = bicep("snapshot", copied / "plans" / "prod.bicepparam", "--mode", "validate", *DEPLOYED_TO)
    assert ended.returncode == 1
    assert "3072" in ended.stdout


def test_the_options_decide_in_the_plan_what_they_do_not_decide_in_any_committed_one(copied: Path) -> None:
    """Every option the other way round: what follows it in the Bicep follows it here, too."""
    said = parameters_of("prod")
    other = {
        "zoneRedundant": not said["zoneRedundant"],
        "rollingUpdate": not said["rollingUpdate"],
        "platformLogs": not said["platformLogs"],
        "alwaysReadyInstances": 0,
        "maximumInstances": 41,
        "instanceMemoryMB": 4096,
        "httpConcurrency": 17,
    }
    lines = [f"param {name} = {str(value).lower()}" for name, value in other.items()]
    file = copied / "plans" / "other.bicepparam"
    file.write_text("\n".join(["using '../main.bicep'", "extends 'prod-private.bicepparam'", *lines, ""]), "utf-8")
    write_snapshot(file)
    whole = Infra.read()
    parameters = whole.plans["prod-private"].parameters | other
    plan = read_plan("prod-private", file.with_name("other.snapshot.json"), parameters)
    assert check(whole.put(plan), expectations()) == []


def test_a_parameter_that_may_be_left_out_shows_in_the_plan_once_it_is_there(copied: Path) -> None:
    file = copied / "prod.parameters.json"
    content = json.loads(file.read_text(encoding="utf-8"))
    other = {
        "cookiePrefix": "__Secure-",
        "vendorName": "Vendor",
        "vendorLogo": "data:image/png;,",
        "vendorColour": "#123456",
    }
    content["parameters"] |= {name: {"value": value} for name, value in other.items()}
    file.write_text(json.dumps(content), encoding="utf-8")
    for plan in ("prod", "prod-private"):
        write_snapshot(copied / "plans" / f"{plan}.bicepparam")
        settings = read_plan(plan, copied / "plans" / f"{plan}.snapshot.json", {}).app_settings
        names = ("SSO_COOKIE_PREFIX", "SSO_VENDOR_NAME", "SSO_VENDOR_LOGO", "SSO_VENDOR_COLOUR")
        assert [settings[name] for name in names] == [*other.values()]


def test_no_plan_is_made_with_a_prefix_that_means_nothing_to_browsers(copied: Path) -> None:
    file = copied / "prod.parameters.json"
    changed(file, '"alertEmail"', '"cookiePrefix": { "value": "Host-" }, "alertEmail"')
    with pytest.raises(RefusedError, match="'cookiePrefix' is not valid"):
        write_snapshot(copied / "plans" / "prod.bicepparam")


# -- what the policy leaves to the compiler ----------------------------------------------------------------------------


def changed(file: Path, text: str, other: str) -> None:
    said = file.read_text(encoding="utf-8")
    assert text in said
    file.write_text(said.replace(text, other, 1), encoding="utf-8")


@pytest.mark.parametrize(
    ("text", "other", "complaint"),
    [
        ("    tableServiceId: stateStorage.outputs.tableServiceId\n", "", 'BCP035: .* properties: "tableServiceId"'),
        (
            "    email: alertEmail\n",
            "    email: alertEmail\n    colour: 'red'\n",
            'BCP037: The property "colour" is not',
        ),
        ("monitoring.outputs.insightsId", "monitoring.outputs.colour", 'BCP053: .* does not contain property "colour"'),
    ],
    ids=["not handed over", "handed over to nobody", "told by nobody"],
)
def test_the_compiler_refuses_what_does_not_fit_together(copied: Path, text: str, other: str, complaint: str) -> None:
    main = copied / "main.bicep"
    changed(main, text, other)
    said = bicep("build", main, "--stdout").stderr
    assert re.search(rf"Error {complaint}", said), said


def test_the_compiler_refuses_a_query_that_is_not_there(copied: Path) -> None:
    (copied / "queries" / "purge-missed.kql").unlink()
    assert "Error BCP091: " in bicep("build", copied / "main.bicep", "--stdout").stderr


def test_the_compiler_refuses_parameters_that_main_does_not_take(copied: Path) -> None:
    file = copied / "prod.parameters.json"
    content = json.loads(file.read_text(encoding="utf-8"))
    for name, value in (
        ("maximumInstances", 1001),
        ("environmentName", "test"),
        ("alertEmail", ""),
        ("zoneRedundant", "yes"),
    ):
        content["parameters"][name]["value"] = value
    file.write_text(json.dumps(content), encoding="utf-8")
    said = bicep("build-params", copied / "plans" / "prod.bicepparam", "--stdout").stderr
    for complaint in ("maximum allowable value is 1000", "'dev' | 'prod'", "minimum allowable length is 3", "bool"):
        assert complaint in said, said
