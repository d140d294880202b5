"""`make release`: tag the version of `pyproject.toml` with what `CHANGELOG.md` says about it.

The tag is made on this machine and never pushed: pushing it deploys (`.github/workflows/deploy.yml`). `--dry-run` makes
all checks and no tag. `--verify TAG` is for that workflow, which asks whether a tag belongs to the commit it is on.
Only the standard library is needed, so this runs before anything is installed.
"""

import argparse
import re
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final, Self

BRANCH: Final = "main"
_UNRELEASED: Final = "Unreleased"
_HEADING: Final = re.compile(r"^## (.+)$", re.MULTILINE)
_RELEASED: Final = re.compile(r"(\S+) - (\d{4}-\d{2}-\d{2})")


class NotReadyError(Exception):
    """The version cannot be released; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Release:
    """A version and its section of the changelog."""

    version: str
    notes: str

    @property
    def tag(self) -> str:
        """The name of the tag in Git."""
        return f"v{self.version}"

    @property
    def message(self) -> str:
        """The message of the tag."""
        return f"Azure SSO {self.version}\n\n{self.notes}\n"

    @classmethod
    def read(cls, root: Path, today: date) -> Self:
        """Read what `pyproject.toml` and `CHANGELOG.md` in `root` agree on. Raises NotReadyError."""
        project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        version = str(project["version"])
        _, *parts = _HEADING.split((root / "CHANGELOG.md").read_text(encoding="utf-8"))
        sections = dict(zip(parts[::2], map(str.strip, parts[1::2]), strict=True))
        if sections.pop(_UNRELEASED, ""):
            raise NotReadyError(
                f"CHANGELOG.md has entries under {_UNRELEASED}: put a heading above them, such as "
                f"`## {version} - {today}`."
            )
        newest = next(iter(sections), "none")
        heading = _RELEASED.fullmatch(newest)
        if heading is None or heading[1] != version:
            raise NotReadyError(
                f"pyproject.toml says {version}, and the newest section of CHANGELOG.md is `## {newest}`: make both "
                f"name the version to release, as in `## {version} - {today}`."
            )
        _check_date(heading[2], today)
        if not sections[newest]:
            raise NotReadyError(f"The section `## {newest}` of CHANGELOG.md is empty: say what changed.")
        return cls(version, sections[newest])


def _check_date(said: str, today: date) -> None:
    try:
        future = date.fromisoformat(said) > today + timedelta(days=1)  # it is tomorrow already in the east
    except ValueError:
        raise NotReadyError(f"CHANGELOG.md says {said}, which is not a date.") from None
    if future:
        raise NotReadyError(f"CHANGELOG.md says {said}, which is in the future.")


def check_repository(root: Path, release: Release) -> None:
    """Check that HEAD is what should be tagged. Raises NotReadyError."""
    if changed := _git(root, "status", "--porcelain"):
        raise NotReadyError(f"There are changes that are not committed:\n{changed}")
    branch = _git(root, "branch", "--show-current")
    if branch != BRANCH:
        raise NotReadyError(f"Releases are made on {BRANCH}, and this is {branch or 'no branch'}: git switch {BRANCH}")
    if _git(root, "tag", "--list", release.tag):
        raise NotReadyError(f"There is a tag {release.tag} already: raise the version in pyproject.toml.")


def make_tag(root: Path, release: Release) -> None:
    """Put an annotated tag with the notes on HEAD. Git must not take the headings of the notes for comments."""
    _git(root, "tag", "--annotate", "--cleanup=whitespace", "--file=-", release.tag, stdin=release.message)


def _git(root: Path, *command: str, stdin: str = "") -> str:
    ended = subprocess.run(["git", *command], cwd=root, input=stdin, capture_output=True, text=True, check=False)
    if ended.returncode:
        raise NotReadyError(f"git {command[0]} failed: {ended.stderr.strip()}")
    return ended.stdout.strip()


def main(arguments: list[str], root: Path = Path()) -> str:
    """Run the command of the arguments, and return the message to print. Raises NotReadyError."""
    parser = argparse.ArgumentParser(prog="make release", description=f"Tag the version on {BRANCH}.")
    parser.add_argument("--dry-run", action="store_true", help="make all checks and no tag")
    parser.add_argument("--verify", metavar="TAG", help="only check that TAG is the version of this commit")
    chosen = parser.parse_args(arguments)
    release = Release.read(root, datetime.now(UTC).date())
    if chosen.verify is not None:
        if chosen.verify != release.tag:
            raise NotReadyError(f"The tag {chosen.verify} is on a commit of version {release.version}.")
        return f"{release.tag} is the version of this commit."
    check_repository(root, release)
    if chosen.dry_run:
        return f"Would tag {_git(root, 'rev-parse', '--short', 'HEAD')} as {release.tag}:\n\n{release.message}"
    make_tag(root, release)
    push = f"git push --atomic origin {BRANCH} {release.tag}"
    return f"Tagged {release.tag}. Nothing was pushed. To release and deploy it: {push}"


if __name__ == "__main__":
    try:
        print(main(sys.argv[1:]))
    except NotReadyError as fault:
        sys.exit(str(fault))
