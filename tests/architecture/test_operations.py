"""The runbook says what there is: every alert, script, option, call and setting; and its sums add up."""

import re
import subprocess
import sys
from datetime import timedelta

import pytest
from azure.monitor.opentelemetry.exporter.export.logs._exporter import _get_severity_level
from opentelemetry.instrumentation.log_utils import std_to_otel

from bench import costs, report
from functions.app import build_routes
from functions.http.refusals import STATUS
from local.processes import ROOT
from shared.health import Health
from shared.kernel.names import EmailAddress
from shared.kernel.pseudonyms import Pseudonyms
from shared.kernel.refusals import BodyLost, Unavailable
from shared.services import Services
from shared.settings import Settings, read_settings
from shared.wiring import build_services
from tests.infra.plans import Infra
from tests.infra.policy.watch import alert_rules
from tests.support.fakes import FixedClock
from tests.unit.test_wiring import IN_DEVELOPMENT

INFRA = Infra.read()

RUNBOOK = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^ *```\w+\n(.*?)^ *```$", RUNBOOK, re.DOTALL | re.MULTILINE)
SPANS = re.findall(r"`([^`]+)`", re.sub(r"^ *```.*?```$", "", RUNBOOK, flags=re.DOTALL | re.MULTILINE))
COMMANDS = [" ".join(text.split()) for text in SPANS] + [
    line.strip() for block in BLOCKS for line in block.replace("\\\n", " ").splitlines()
]
"""What stands in the runbook as code: a span each, or a line of a block each."""


def section(title: str) -> str:
    """The text below a heading of the second level."""
    (text,) = re.findall(rf"^## {title}\n(.*?)(?=^## |\Z)", RUNBOOK, re.DOTALL | re.MULTILINE)
    return str(text)


def cells(table_row: str) -> list[str]:
    return [cell.strip() for cell in table_row.strip().strip("|").split("|")]


# -- alerts ------------------------------------------------------------------------------------------------------------


def alerts() -> dict[str, int]:
    """The severity of each alert that the Bicep makes, by its name without what says of which environment it is."""
    severities = {
        name: rule.at("properties.severity") or rule.at("properties.destination.properties.severity") or 0
        for name, rule in alert_rules(INFRA.plans["prod"])
    }
    return {name: int(str(severity).removeprefix("Sev")) for name, severity in severities.items()}


def test_every_alert_is_explained_and_no_other() -> None:
    assert {*re.findall(r"^### (.+)$", section("Alerts"), re.MULTILINE)} == {*alerts()}


def test_alerts_are_as_severe_as_it_is_said() -> None:
    rows = re.findall(r"^\| \[`([\w-]+)`\]\(#\1\) \| (\d) \|", section("Alerts"), re.MULTILINE)
    assert {name: int(severity) for name, severity in rows} == alerts()


def test_a_body_in_chunks_is_answered_as_it_is_said() -> None:
    body = RUNBOOK.partition("\n### A body in chunks\n")[2].partition("\n### ")[0]
    assert re.findall(r"expect the first to respond (\d+)", body) == [str(STATUS[BodyLost])]
    assert f"| {STATUS[BodyLost]} with a specific reason" in RUNBOOK


# -- what is named is there --------------------------------------------------------------------------------------------


def test_every_target_of_make_is_there() -> None:
    there = {*re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)}
    named = {name for command in COMMANDS for name in re.findall(r"(?:^|\$ )make ([\w-]+)", command)}
    assert named
    assert named <= there


def options(script: str) -> set[str]:
    """What the usage of a script of infra/ lists."""
    text = (ROOT / "infra" / f"{script}.sh").read_text(encoding="utf-8")
    return {*re.findall(r"--[a-z-]+", text.partition("END\n")[2].partition("END\n")[0])}


def test_every_option_of_a_script_is_there() -> None:
    named = {found for command in COMMANDS for found in re.findall(r"infra/(\w+)\.sh( [^|]*)?", command)}
    assert {script for script, _ in named} == {"deploy", "entra", "teardown"}
    for script, line in named:
        assert {*re.findall(r"--[a-z-]+", line)} <= options(script), script


def test_an_option_that_is_named_alone_is_one_of_a_script() -> None:
    named = {command.partition(" ")[0] for command in COMMANDS if command.startswith("--")}
    assert named
    assert named <= options("deploy") | options("teardown")


def test_every_file_is_there() -> None:
    named = {
        name for command in COMMANDS for name in re.findall(r"(?:infra|docs|shared|functions)/[\w./-]+\w", command)
    }
    named |= {f"docs/{link}" for link in re.findall(r"\]\(([\w./-]+)\)", RUNBOOK)}
    assert len(named) > 20
    assert {name for name in named if not (ROOT / name).exists()} == set()


def test_every_setting_is_there() -> None:
    assert {*re.findall(r"SSO_[A-Z_]+[A-Z]", RUNBOOK)} <= {str(field.alias) for field in Settings.model_fields.values()}


def test_every_part_of_the_deployment_that_one_may_set_is_there() -> None:
    rows = [cells(line)[0] for line in section("Deploy").splitlines() if line.strip().startswith("| `")]
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row)} | {"httpConcurrency"}
    assert named <= {*re.findall(r"^param (\w+)", INFRA.texts["main.bicep"], re.MULTILINE)}


def test_every_call_is_there() -> None:
    services = build_services(read_settings(IN_DEVELOPMENT))
    assert isinstance(services, Services)
    calls = [(each.method, each.path) for routes in build_routes(services) for each in routes.endpoints]
    patterns = [(method, re.compile(re.sub(r"\{\w+\}", "[^/]+", path))) for method, path in calls]
    named = {found for command in COMMANDS for found in re.findall(r'(?:\$ |^)api (\w+) "?(/[^\s"?]+)', command)}
    assert len(named) > 5
    for method, path in named:
        assert any(method == known and pattern.fullmatch(path) for known, pattern in patterns), f"{method} {path}"


def test_every_reference_leads_somewhere() -> None:
    headings = {
        re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")
        for heading in re.findall(r"^#+ (.+)$", RUNBOOK, re.MULTILINE)
    }
    assert {*re.findall(r"\]\(#([\w-]+)\)", RUNBOOK)} <= headings


# -- what is shown is so -----------------------------------------------------------------------------------------------


def test_the_dry_run_is_shown_as_it_is() -> None:
    (command,) = [
        line.removeprefix("$ ") for line in COMMANDS if line.endswith("--dry-run") and "--environment" in line
    ]
    (shown,) = [block for block in BLOCKS if "1/7" in block]
    ended = subprocess.run(command.split(), cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    left = iter(ended.stdout.splitlines())
    for line in filter("…".__ne__, map(str.strip, shown.splitlines())):
        start = line.removesuffix(" …")
        assert any(each.startswith(start) if line != start else each == line for each in left), line


async def test_the_query_about_the_health_sees_why_a_part_is_down(caplog: pytest.LogCaptureFixture) -> None:
    """Application Insights knows the levels by other numbers."""

    async def probe() -> None:
        raise Unavailable("It is out.")

    await Health({"storage": probe}, FixedClock(), patience=timedelta(seconds=1)).ask()
    told = min(_get_severity_level(std_to_otel(record.levelno)) for record in caplog.records)
    asked = [int(number) for number in re.findall(r"SeverityLevel >= (\d)", RUNBOOK)]
    assert asked == [told]


def test_the_command_that_finds_a_person_computes_what_the_log_says() -> None:
    key, address = "a pseudonym key of the tests, long enough", "Alice@Contoso.example"
    (program,) = re.findall(rf"-c '\n(.+?)' {re.escape(address)}$", RUNBOOK, re.DOTALL | re.MULTILINE)
    ended = subprocess.run(
        [sys.executable, "-c", program, address],
        cwd=ROOT,
        input=f"{key}\n",
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert ended.stdout.strip() == Pseudonyms(key.encode()).of(EmailAddress.parse("alice@contoso.example"))


# -- the sums ----------------------------------------------------------------------------------------------------------

MONTH = 2_628_000


@pytest.mark.parametrize(
    ("what", "kilobytes"), [("log", costs.LOGGED), ("log of a resolve alone", costs.LOGGED_BY_RESOLVE)]
)
def test_the_log_is_the_sum_of_its_lines(what: str, kilobytes: float) -> None:
    (listed,) = re.findall(rf"^\| {what} \| ([\d.]+) kB \| ([^`|]+)", RUNBOOK, re.MULTILINE)
    parts = re.findall(r"(\d+) [a-z ]*?(?:\w+ )?at ([\d.]+) kB", listed[1])
    assert float(listed[0]) == kilobytes
    assert kilobytes == pytest.approx(sum(int(number) * float(each) for number, each in parts))


def test_telemetry_is_the_log_without_the_records_of_the_vault() -> None:
    (listed,) = re.findall(r"^\| log \| [\d.]+ kB \| ([^|]+)", RUNBOOK, re.MULTILINE)
    parts = re.findall(r"(\d+) ([a-z ]+?) (?:\w+ )?at ([\d.]+) kB", listed.partition("`platformLogs`")[0])
    records = [(int(number), float(each)) for number, what, each in parts if "audit" in what]
    assert sum(number * each for number, each in records) == costs.AUDITED
    assert sum(int(number) for number, *_ in parts) - sum(number for number, _ in records) == costs.ITEMS


def test_the_bill_of_one_sign_in_a_second_adds_up() -> None:
    text = " ".join(section("Scale and cost").split())
    (gigabyte, operations), (log, vault) = (
        map(float, re.findall(pattern, text)[0])
        for pattern in (
            r"logs costs some \$([\d.]+) .*? such a key \$([\d.]+)",
            r"which makes \$(\d+) and \$(\d+) a month",
        )
    )
    assert f"is {MONTH / 1e6:.3f} million a month" in text
    assert log == round(MONTH * costs.LOGGED / 1e6 * gigabyte)
    assert vault == round(MONTH * costs.SIGNATURES / 10_000 * operations)


def test_what_sign_ins_cost_is_computed_from_what_was_measured() -> None:
    computed = {table.name: table.markdown() for table in costs.measure(report.read())}
    assert {"units", "rates", "limits"} == computed.keys()
    assert {table.name: table.markdown() for table in report.read(report.RUNBOOK)} == computed


def test_the_sums_of_timers_add_up() -> None:
    text = " ".join(section("Scale and cost").partition("### What timers")[2].partition("###")[0].split())
    (price,) = map(float, re.findall(r"seconds \(at least 1\) . 2 GB . ([\d.]+),", text))
    runs = [int(number.replace(",", "")) for number in re.findall(r"([\d,]+) (?:times|runs): ", text)]
    assert runs == [MONTH // 900, MONTH // 60]
    said = re.findall(r"\$([\d.]+) at a (second|minute)", text)
    dollars = [runs[0] * 2 * price, runs[0] * 60 * 2 * price, runs[1] * 2 * price]
    assert [unit for _, unit in said] == ["second", "minute", "second"]
    assert [number for number, _ in said] == [f"{dollars[0]:.2f}", f"{dollars[1]:.0f}", f"{dollars[2]:.2f}"]


def test_a_sign_in_takes_what_its_steps_take() -> None:
    """The docstring of the provider counts the calls of the store, of which the runbook makes its sums."""
    source = (ROOT / "shared" / "provider" / "__init__.py").read_text(encoding="utf-8")
    calls = sum(
        int(number) for number in re.findall(r"^    (?:authorize|complete|redeem) +(\d)  ", source, re.MULTILINE)
    )
    assert (
        f"| {calls} | {calls} of `shared/provider/__init__.py`; resolve of any user of a known account 0 |" in RUNBOOK
    )
