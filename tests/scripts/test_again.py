"""infra/deploy.sh a second time: it failed somewhere, and whoever ran it runs it again."""

import pytest

from tests.scripts.conftest import COOKIE, GROUP, WELL, Break, Ended, Machine, directory
from tests.scripts.test_deploy import CHECKS, expected

OPTIONS = ("--resource-group", GROUP, "--location", "westeurope", "--environment", "dev", "--yes")

CALLS = expected("https://sso.vendor.net")
"""What a first deployment calls, in turn."""

CHANGES = ("az deployment group create", "az functionapp deployment source config-zip")
FAILURES = [
    *(Break(at) for at in range(len(CALLS))),
    *(Break(at, late=True) for at, call in enumerate(CALLS) if call.startswith(CHANGES)),
]


def is_a_check(call: str) -> bool:
    """One without which a deployment goes on."""
    return any(call.startswith(begins) and holds in call for begins, _, holds in (c.partition(" … ") for c in CHECKS))


def deploys(machine: Machine, *more: str) -> Ended:
    return machine.runs("deploy.sh", *OPTIONS, *more)


def ends_well(ended: Ended) -> bool:
    return (ended.code, ended.sentence) == (0, "") and "The service is well at " in ended.output


@pytest.mark.parametrize("failure", FAILURES, ids=str)
def test_after_a_failure_at_any_call_it_is_run_again(machine: Machine, failure: Break) -> None:
    machine.breaks = failure
    first = deploys(machine)
    assert ends_well(first) is is_a_check(CALLS[failure.at])
    assert len(first.calls) == (len(CALLS) if ends_well(first) else failure.at + 1)
    machine.breaks = None
    assert ends_well(deploys(machine))


SCRIPTED = range(10, 21)
"""The calls of stage 3 with infra/entra.sh; the others are those from above."""


@pytest.mark.parametrize("at", SCRIPTED)
def test_after_a_failure_of_the_script_it_is_run_again(machine: Machine, at: int) -> None:
    machine.parts += directory()
    machine.breaks = Break(at)
    first = deploys(machine, "--entra", "script")
    assert (first.code, len(first.calls)) == (1, at + 1)
    machine.breaks = None
    assert ends_well(deploys(machine, "--entra", "script"))


def test_the_calls_of_the_script_are_these(machine: Machine) -> None:
    machine.parts += directory()
    ended = deploys(machine, "--entra", "script")
    by_bicep = CALLS[SCRIPTED.start]
    assert [call.split(" --")[0] for call in ended.calls[: SCRIPTED.start]] == [
        call.split(" --")[0] for call in CALLS[: CALLS.index(by_bicep)]
    ]
    assert len(ended.calls) - len(CALLS) == len(SCRIPTED) - 1


@pytest.mark.parametrize("stage", ["health", "cookie"])
def test_after_a_service_that_was_not_well_it_is_run_again(machine: Machine, stage: str) -> None:
    if stage == "health":
        machine.app.answers = [(502, {})]
    else:
        machine.app.cookie_lines = {}
    assert deploys(machine).code == 1
    machine.app.answers = [(200, WELL)]
    machine.app.cookie_lines = {"Set-Cookie": COOKIE}
    assert ends_well(deploys(machine))
