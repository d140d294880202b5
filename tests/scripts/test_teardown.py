"""infra/teardown.sh: it says what is lost, and nothing goes that nobody has named."""

import os

import pytest

from tests.scripts.az_says import NO_GROUP, from_arm
from tests.scripts.conftest import APP_SETTINGS, CLIENT_ID, GROUP, Ended, Machine, Part, lines, shown


@pytest.fixture
def standing(machine: Machine) -> Machine:
    """A resource group in which the service stands."""
    machine.plays(
        Part("az resource list", lines("Type                  Name", "Microsoft.Web/sites   func-sso-dev-x")),
        Part("az functionapp list --resource-group", lines("func-sso-dev-x")),
        Part(f"{APP_SETTINGS} … SSO_ENTRA_CLIENT_ID", lines(CLIENT_ID)),
        Part(f"az group delete --name {GROUP} --yes"),
        Part(f"az ad app delete --id {CLIENT_ID}"),
    )
    return machine


def deletions(ended: Ended) -> list[str]:
    return [call for call in ended.calls if " delete " in call]


def test_a_group_is_deleted_and_the_registration_stays(standing: Machine) -> None:
    ended = standing.runs("teardown.sh", "--resource-group", GROUP, "--yes")
    assert (ended.code, ended.sentence) == (0, "")
    assert deletions(ended) == [f"az group delete --name {GROUP} --yes"]
    for told in (
        "Microsoft.Web/sites   func-sso-dev-x",
        "make export",
        "soft-deleted for 90 days",
        "registration stays",
    ):
        assert told in ended.output


def test_the_registration_goes_when_told_so(standing: Machine) -> None:
    ended = standing.runs("teardown.sh", "--resource-group", GROUP, "--delete-registration", "--yes")
    assert ended.code == 0
    assert deletions(ended) == [f"az group delete --name {GROUP} --yes", f"az ad app delete --id {CLIENT_ID}"]
    assert "customers must consent anew" in ended.output


@pytest.mark.parametrize(("typed", "code"), [(b"rg-sso\n", 0), (b"rg-sso2\n", 1), (b"y\n", 1), (b"\n", 1)])
def test_the_name_of_the_group_must_be_typed_in(standing: Machine, typed: bytes, code: int) -> None:
    master, terminal = os.openpty()
    os.write(master, typed)
    ended = standing.runs("teardown.sh", "--resource-group", GROUP, stdin=terminal)
    os.close(terminal)
    os.close(master)
    assert (ended.code, bool(deletions(ended))) == (code, code == 0)
    assert ended.sentence.endswith("That is not its name. Nothing was deleted.") is (code == 1)


def test_nobody_is_taken_for_a_yes(standing: Machine) -> None:
    ended = standing.runs("teardown.sh", "--resource-group", GROUP)
    assert (ended.code, ended.calls) == (1, ())
    assert ended.sentence == "Nobody is here to confirm. Run this in a terminal, or with --yes."


def test_a_dry_run_calls_nothing(standing: Machine) -> None:
    ended = standing.runs("teardown.sh", "--resource-group", GROUP, "--delete-registration", "--dry-run")
    assert (ended.code, ended.calls) == (0, ())
    assert shown(ended)[-2:] == [f"az group delete --name {GROUP} --yes", "az ad app delete --id <clientId>"]


def test_a_group_that_is_gone(standing: Machine) -> None:
    standing.plays(Part("az resource list", complains=NO_GROUP, fails=3))
    ended = standing.runs("teardown.sh", "--resource-group", GROUP, "--yes")
    assert (ended.code, ended.sentence) == (1, f"There is no resource group {GROUP}. Nothing is to be deleted.")


def test_a_registration_that_no_app_names(standing: Machine) -> None:
    standing.plays(Part(APP_SETTINGS))
    ended = standing.runs("teardown.sh", "--resource-group", GROUP, "--delete-registration", "--yes")
    assert (ended.code, deletions(ended)) == (1, [])
    assert "No app in rg-sso names an app registration." in ended.sentence


def test_a_lock_is_named(standing: Machine) -> None:
    standing.plays(Part("az group delete", complains=from_arm("ScopeLocked", "The scope is locked."), fails=1))
    ended = standing.runs("teardown.sh", "--resource-group", GROUP, "--delete-registration", "--yes")
    assert ended.code == 1
    assert ended.sentence == (
        "A lock protects this resource group. az lock list shows it; remove it if you mean to go on."
    )
    assert not any("az ad app delete" in call for call in ended.calls), "what may be needed again stays"


def test_without_a_group_nothing_happens(standing: Machine) -> None:
    ended = standing.runs("teardown.sh", "--yes")
    assert (ended.code, ended.calls) == (1, ())
    assert ended.sentence == "--resource-group is needed. See infra/teardown.sh --help."
