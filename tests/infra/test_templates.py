"""The stages and the script fit together, and the rules that read compiled templates hold, and can fail."""

from collections.abc import Callable, Iterator

import pytest

from tests.infra.conftest import Compiled
from tests.infra.policy.compiled import COMPILED, descriptions, outputs_are_read, roles_come_first
from tests.infra.stages import stages
from tests.infra.templates import STAGES, Template

HANDED = stages()


def test_the_script_runs_every_stage() -> None:
    assert HANDED.keys() == {*STAGES}


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_takes_what_the_script_hands_over_and_tells_what_it_reads_and_no_more(
    stage: str, compiled: Compiled
) -> None:
    assert HANDED[stage].takes <= compiled(stage).parameters.keys()
    assert HANDED[stage].tells == compiled(stage).outputs.keys()


@pytest.mark.parametrize("stage", sorted({*STAGES} - {"main.bicep"}))
def test_a_stage_without_a_parameter_file_gets_all_that_it_needs(stage: str, compiled: Compiled) -> None:
    assert compiled(stage).needed <= HANDED[stage].takes


@pytest.mark.parametrize("name", ["newPseudonymKey", "newRememberKey"])
def test_a_secret_is_never_shown(name: str, compiled: Compiled) -> None:
    main = compiled("main.bicep")
    for template in (main, main.modules["keyVault"]):
        assert template.parameters[name]["type"] == "securestring"
    outputs = [each["value"] for template in main.everything() for each in template.outputs.values()]
    assert not any(name in value for value in outputs)


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("rule", COMPILED, ids=lambda rule: rule.__name__)
def test_a_stage_keeps_the_rule(stage: str, rule: Callable[[Template], Iterator[str]], compiled: Compiled) -> None:
    assert [*rule(compiled(stage))] == []


# -- the rules can fail ------------------------------------------------------------------------------------------------

GIVE_ROLES = ("monitoring", "stateStorage", "packageStorage", "keyVault")


@pytest.mark.parametrize("module", GIVE_ROLES)
def test_an_app_that_does_not_wait_for_its_roles_is_noticed(module: str, compiled: Compiled) -> None:
    hasty = compiled("main.bicep").without_wait("functionApp", module)
    assert [*roles_come_first(hasty)] == [f"The app does not wait for the roles of {module}."]


@pytest.mark.parametrize(("stage", "module"), [("identity.bicep", "identity"), ("main.bicep", "keyVault")])
def test_an_output_that_nobody_reads_is_noticed(stage: str, module: str, compiled: Compiled) -> None:
    told = compiled(stage).with_output(module, "colour")
    assert [*outputs_are_read(told)] == [f"Nobody reads colour of {module}."]


@pytest.mark.parametrize(
    ("section", "name"), [("parameters", "environmentName"), ("outputs", "publicUrl")], ids=["parameter", "output"]
)
def test_what_is_not_described_is_noticed(section: str, name: str, compiled: Compiled) -> None:
    rest = compiled("identity.bicep").without_description(section, name)
    assert [*descriptions(rest)] == [f"{name} in identity.bicep is not described."]
