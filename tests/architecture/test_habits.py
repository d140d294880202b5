"""The files that GitHub, Git and editors read are valid, safe, and name only what exists."""

import configparser
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from local.processes import ROOT
from local.stack import Ports

BIN = Path(sys.executable).parent
GITHUB = ROOT / ".github"
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
RELEASING = (ROOT / "docs" / "releasing.md").read_text(encoding="utf-8")
WORKFLOWS = {file.stem: yaml.safe_load(file.read_text(encoding="utf-8")) for file in (GITHUB / "workflows").iterdir()}
STEPS = [
    (f"{workflow}, {job_name}, {step.get('name', step.get('uses'))}", step)
    for workflow, content in WORKFLOWS.items()
    for job_name, job in content["jobs"].items()
    for step in job.get("steps", [])
]
RUNS = [(name, step["run"]) for name, step in STEPS if "run" in step]
EDITOR = {file.stem: json.loads(file.read_text(encoding="utf-8")) for file in (ROOT / ".vscode").iterdir()}
CONTAINER = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text(encoding="utf-8"))
HOOKS = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"]


def run(*command: str | Path, stdin: str = "") -> tuple[int, str]:
    """The exit code of a command, and what it printed."""
    ended = subprocess.run([*command], cwd=ROOT, input=stdin, capture_output=True, text=True, timeout=60, check=False)
    return ended.returncode, ended.stdout + ended.stderr


# -- GitHub ------------------------------------------------------------------------------------------------------------


def test_the_workflows_pass_an_audit() -> None:
    """zizmor knows the schema, and what an attacker looks for: tags that move, rights too wide, text run as code."""
    audited = run(
        BIN / "zizmor", "--offline", "--quiet", "--color=never", "--strict-collection", "--persona=pedantic", GITHUB
    )
    assert audited == (0, "No findings to report. Good job!\n")


def test_an_action_is_pinned_to_one_commit_that_names_its_version() -> None:
    text = "".join(file.read_text(encoding="utf-8") for file in (GITHUB / "workflows").iterdir())
    pins = re.findall(r"uses: ([\w/-]+)@([0-9a-f]{40}) # v\d+\.\d+\.\d+\n", text)
    assert len(pins) == len(re.findall(r"uses: (?!\$/)", text)) >= 5
    assert len({*pins}) == len({action for action, _ in pins})


def test_no_workflow_has_a_secret_and_only_a_deployment_may_prove_itself() -> None:
    text = {file.stem: file.read_text(encoding="utf-8") for file in (GITHUB / "workflows").iterdir()}
    assert [name for name, content in text.items() if "secrets" in content] == []
    rights = {
        (name, job): content["jobs"][job]["permissions"]
        for name, content in WORKFLOWS.items()
        for job in content["jobs"]
    }
    assert rights.pop(("deploy", "deploy")) == {"contents": "read", "id-token": "write"}
    assert {*map(str, rights.values())} == {"{'contents': 'read'}"}


def test_a_deployment_waits_for_the_tests() -> None:
    jobs = WORKFLOWS["deploy"]["jobs"]
    assert jobs["deploy"]["needs"] == "test"
    assert jobs["test"]["uses"] == "$/.github/workflows/ci.yml"
    assert any(re.search(r"(^| )\.ci/run$", script) for _, script in RUNS)


@pytest.mark.parametrize("script", [script for _, script in RUNS], ids=[name for name, _ in RUNS])
def test_a_step_runs_a_clean_script(script: str) -> None:
    assert run(BIN / "shellcheck", "--shell=bash", "--severity=style", "-", stdin=script) == (0, "")
    for file in re.findall(r"(?:^|\s)(\.?\w+/[\w./-]+)", script):
        assert (ROOT / file).exists(), file
    for module in re.findall(r"python -m ([\w.]+)", script):
        assert (ROOT / module.replace(".", "/")).with_suffix(".py").exists(), module


def test_a_deployment_takes_options_that_exist() -> None:
    _, usage = run(ROOT / "infra" / "deploy.sh", "--help")
    (script,) = [script for _, script in RUNS if "infra/deploy.sh" in script]
    named = {*re.findall(r"--[a-z-]+", script)}
    assert named >= {"--resource-group", "--location", "--environment", "--entra", "--yes"}
    assert named <= {*re.findall(r"--[a-z-]+", usage)}


def test_every_variable_that_a_deployment_needs_is_explained() -> None:
    text = (GITHUB / "workflows" / "deploy.yml").read_text(encoding="utf-8")
    assert {*re.findall(r"vars\.(\w+)", text)} == {*re.findall(r"`((?:AZURE|SSO)_\w+)`", RELEASING)}


def test_a_new_version_waits_a_week_before_it_is_proposed() -> None:
    updates = yaml.safe_load((GITHUB / "dependabot.yml").read_text(encoding="utf-8"))["updates"]
    assert {each["package-ecosystem"] for each in updates} == {"pip", "npm", "github-actions", "devcontainers"}
    assert [each for each in updates if each["cooldown"]["default-days"] < 7] == []


# -- Git ---------------------------------------------------------------------------------------------------------------


def test_a_commit_is_checked_by_what_make_check_runs() -> None:
    hooks = {hook["id"]: hook for repository in HOOKS for hook in repository["hooks"]}
    assert {repository["repo"] for repository in HOOKS} == {"local"}
    programs = {hook["entry"].partition(" ")[0].removeprefix(".venv/bin/") for hook in hooks.values()}
    (checks,) = re.findall(r"^check: .*\n((?:\t.*\n)+)", MAKEFILE, re.MULTILINE)
    assert programs >= {*re.findall(r"\$\(BIN\)/([\w-]+)", checks)} | {"shellcheck"}
    assert [program for program in programs if not (BIN / program).is_file()] == []


def test_the_hooks_are_valid() -> None:
    assert run(BIN / "pre-commit", "validate-config", ".pre-commit-config.yaml") == (0, "")


# -- editors -----------------------------------------------------------------------------------------------------------


def test_what_editors_share_is_not_ignored() -> None:
    shared = [".editorconfig", ".devcontainer/devcontainer.json", *(f".vscode/{name}.json" for name in EDITOR)]
    assert run("git", "check-ignore", "--no-index", *shared) == (1, "")


def test_a_launch_starts_a_task_that_exists() -> None:
    tasks = {task["label"]: task for task in EDITOR["tasks"]["tasks"]}
    asked_for = {each.get("preLaunchTask") for each in EDITOR["launch"]["configurations"]} - {None}
    asked_for |= {task.get("dependsOn") for task in tasks.values()} - {None}
    assert {"func: host start"} < asked_for <= {*tasks}


def test_an_editor_knows_when_the_stand_ins_are_up() -> None:
    """By lines that `make run APP=no` prints."""
    (background,) = [
        task["problemMatcher"]["background"] for task in EDITOR["tasks"]["tasks"] if task["label"] == "make run APP=no"
    ]
    printed = (ROOT / "local" / "run.py").read_text("utf-8") + (ROOT / "local" / "stack.py").read_text("utf-8")
    assert f'"{background["beginsPattern"].removeprefix("^")}' in printed
    assert f'{background["endsPattern"]} ..."' in printed


def test_every_target_of_make_that_is_named_exists() -> None:
    named = {*re.findall(r"(?:`|\$ |&& |\")make ([a-z]+)", json.dumps(EDITOR) + json.dumps(CONTAINER) + RELEASING)}
    assert named >= {"run", "install", "release", "lock"}
    assert named <= {*re.findall(r"^([a-z]+):.*## ", MAKEFILE, re.MULTILINE)}


def test_the_container_is_the_machine_that_the_project_asks_for() -> None:
    version = (ROOT / ".python-version").read_text(encoding="utf-8").strip()
    assert CONTAINER["image"].startswith(f"mcr.microsoft.com/devcontainers/python:{version}-")
    ports = Ports()
    assert {*CONTAINER["forwardPorts"]} == {ports.app, ports.entra_http, ports.entra_https, ports.sample, ports.panel}
    assert CONTAINER["customizations"]["vscode"]["extensions"] == EDITOR["extensions"]["recommendations"]


def test_editors_indent_as_the_formatter_does() -> None:
    rules = configparser.ConfigParser()
    rules.read_string("[top]\n" + (ROOT / ".editorconfig").read_text(encoding="utf-8"))
    length = re.findall(r"^line-length = (\d+)$", (ROOT / "pyproject.toml").read_text("utf-8"), re.MULTILINE)
    assert [rules["*"]["max_line_length"]] == length
    assert rules["*.py"]["indent_size"] == "4"
    assert rules["Makefile"]["indent_style"] == "tab"
