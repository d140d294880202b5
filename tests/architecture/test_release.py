"""`make release` tags what the changelog says, and nothing else. Each test has a repository of its own."""

import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from local.processes import ROOT
from local.release import NotReadyError, main

TODAY = datetime.now(UTC).date()
NOTES = "### Added\n- A pilot, for a few people first."
RELEASED = f"# Changelog\n\n## Unreleased\n\n## 1.4.0 - {TODAY}\n\n{NOTES}\n\n## 1.3.0 - 2026-01-31\n\n- Older.\n"


class Repository:
    """A repository that is ready for the release of 1.4.0, unless a test spoils it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.git("init", "--quiet", "--initial-branch=main")
        self.git("config", "user.name", "A developer")
        self.git("config", "user.email", "developer@vendor.example")
        self.commit("pyproject.toml", '[project]\nname = "azure-sso"\nversion = "1.4.0"\n')
        self.commit("CHANGELOG.md", RELEASED)

    def git(self, *command: str) -> str:
        ended = subprocess.run(["git", *command], cwd=self.root, capture_output=True, text=True, check=True)
        return ended.stdout.strip()

    def commit(self, name: str, text: str) -> None:
        (self.root / name).write_text(text, encoding="utf-8")
        self.git("add", name)
        self.git("commit", "--quiet", f"--message=Change {name}")

    def release(self, *arguments: str) -> str:
        return main([*arguments], self.root)

    def refusal(self, *arguments: str) -> str:
        with pytest.raises(NotReadyError) as refused:
            self.release(*arguments)
        return str(refused.value)


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", "/dev/null")
    return Repository(tmp_path)


def test_the_tag_carries_the_section_of_the_changelog(repository: Repository) -> None:
    told = repository.release()
    assert repository.git("for-each-ref", "--format=%(objecttype) %(contents)", "refs/tags/v1.4.0") == (
        f"tag Azure SSO 1.4.0\n\n{NOTES}"
    )
    assert repository.git("rev-parse", "v1.4.0^{commit}") == repository.git("rev-parse", "HEAD")
    assert "Nothing was pushed" in told
    assert "git push --atomic origin main v1.4.0" in told


def test_a_dry_run_shows_the_tag_and_makes_none(repository: Repository) -> None:
    told = repository.release("--dry-run")
    assert "v1.4.0" in told
    assert NOTES in told
    assert repository.git("tag") == ""


def test_a_version_is_released_once(repository: Repository) -> None:
    repository.release()
    assert "v1.4.0 already" in repository.refusal()


def test_what_is_not_committed_is_not_released(repository: Repository) -> None:
    (repository.root / "stray.py").touch()
    assert "?? stray.py" in repository.refusal()


def test_a_release_is_made_on_main(repository: Repository) -> None:
    repository.git("switch", "--quiet", "--create", "feature")
    assert "this is feature" in repository.refusal()
    repository.git("switch", "--quiet", "--detach")
    assert "this is no branch" in repository.refusal()


@pytest.mark.parametrize(
    ("changelog", "sentence"),
    [
        (RELEASED.replace("## Unreleased\n", "## Unreleased\n\n- New.\n"), "entries under Unreleased"),
        (RELEASED.replace("1.4.0", "1.5.0"), "pyproject.toml says 1.4.0, and the newest section"),
        (RELEASED.replace(f" - {TODAY}", ""), "the newest section of CHANGELOG.md is `## 1.4.0`"),
        (RELEASED.replace(str(TODAY), "2026-02-30"), "2026-02-30, which is not a date"),
        (RELEASED.replace(str(TODAY), str(TODAY + timedelta(days=2))), "which is in the future"),
        (RELEASED.replace(NOTES, ""), "is empty"),
        ("# Changelog\n", "is `## none`"),
    ],
    ids=["unreleased entries", "another version", "no date", "no such date", "a future date", "no notes", "no section"],
)
def test_a_changelog_that_does_not_say_it_stops_a_release(
    repository: Repository, changelog: str, sentence: str
) -> None:
    repository.commit("CHANGELOG.md", changelog)
    assert sentence in repository.refusal()
    assert repository.git("tag") == ""


def test_a_tag_is_verified_against_the_version_of_its_commit(repository: Repository) -> None:
    assert "v1.4.0" in repository.release("--verify", "v1.4.0")
    assert "v1.5.0 is on a commit of version 1.4.0" in repository.refusal("--verify", "v1.5.0")


def test_the_changelog_of_the_project_can_be_read() -> None:
    with pytest.raises(NotReadyError):
        main(["--verify", "v0.0.0"], ROOT)
