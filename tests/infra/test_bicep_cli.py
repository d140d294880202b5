"""What only the Bicep CLI can say: that it takes all files as they are, without a warning, and plans what is committed.

Most of it by one process for all tests; what `make plan` does is tried on one plan by the CLI itself.
"""

import json
from difflib import unified_diff
from pathlib import Path

import pytest

from infra.plans import PLANS
from infra.plans.bicep import DEPLOYED_TO, INFRA, RefusedError, bicep, write_snapshot
from tests.infra.compiler import Compiler
from tests.infra.plans import Infra, parameters_of, read_plan
from tests.infra.policy import check
from tests.infra.policy.expectations import expectations

FILES = sorted([*INFRA.rglob("*.bicep"), *INFRA.rglob("*.bicepparam")])


@pytest.mark.usefixtures("compiler")
def test_the_compiler_and_its_linter_have_nothing_to_say() -> None:
    ended = bicep("lint", "--pattern", INFRA / "**" / "*.bicep*")
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")


def test_every_file_is_formatted(copied: Path) -> None:
    ended = bicep("format", "--pattern", copied / "**" / "*.bicep*")
    assert ended.returncode == 0, ended.stderr
    assert {file for file in FILES if (copied / file.relative_to(INFRA)).read_bytes() != file.read_bytes()} == set()


@pytest.mark.parametrize("plan", PLANS)
def test_a_plan_is_what_the_bicep_makes_of_it(plan: str, compiler: Compiler, copied: Path) -> None:
    """By a new one: `--mode validate` of 0.49.2 throws at resources of Microsoft Graph, which have no id."""
    committed = (INFRA / "plans" / f"{plan}.snapshot.json").read_text("utf-8")
    made = compiler.snapshot(copied / "plans" / f"{plan}.bicepparam")
    assert "\n".join(unified_diff(committed.splitlines(), made.splitlines())) == "", "Run `make plan`."


def test_make_plan_writes_a_plan(copied: Path) -> None:
    file = copied / "plans" / "entra.snapshot.json"
    file.unlink()
    write_snapshot(file.with_name("entra.bicepparam"))
    assert file.read_text("utf-8") == (INFRA / "plans" / file.name).read_text("utf-8")


def test_a_plan_that_no_longer_holds_is_noticed(copied: Path) -> None:
    file = copied / "modules" / "key-vault.bicep"
    changed(file, "keySize: 2048", "keySize: 3072")
    ended = bicep("snapshot", copied / "plans" / "prod.bicepparam", "--mode", "validate", *DEPLOYED_TO)
    assert ended.returncode == 1
    assert "3072" in ended.stdout


def test_the_options_decide_in_the_plan_what_they_do_not_decide_in_any_committed_one(
    compiler: Compiler, copied: Path
) -> None:
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
    file.with_name("other.snapshot.json").write_text(compiler.snapshot(file), "utf-8")
    whole = Infra.read()
    parameters = whole.plans["prod-private"].parameters | other
    plan = read_plan("prod-private", file.with_name("other.snapshot.json"), parameters)
    assert check(whole.put(plan), expectations()) == []


def test_a_parameter_that_may_be_left_out_shows_in_the_plan_once_it_is_there(compiler: Compiler, copied: Path) -> None:
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
        snapshot = copied / "plans" / f"{plan}.snapshot.json"
        snapshot.write_text(compiler.snapshot(snapshot.with_name(f"{plan}.bicepparam")), "utf-8")
        settings = read_plan(plan, snapshot, {}).app_settings
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
def test_the_compiler_refuses_what_does_not_fit_together(
    compiler: Compiler, copied: Path, text: str, other: str, complaint: str
) -> None:
    main = copied / "main.bicep"
    changed(main, text, other)
    with pytest.raises(RefusedError, match=f"Error {complaint}"):
        compiler.build(main)


def test_the_compiler_refuses_a_query_that_is_not_there(compiler: Compiler, copied: Path) -> None:
    (copied / "queries" / "purge-missed.kql").unlink()
    with pytest.raises(RefusedError, match="Error BCP091: "):
        compiler.build(copied / "main.bicep")


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
