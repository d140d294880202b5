"""`make zip`: the package to deploy, `dist/azure-sso.zip`: everything that `.funcignore` lets through.

The same files give the same bytes: entries are sorted and carry a fixed time. Azure installs the packages of
requirements.txt itself, in a remote build.

Each module comes with its bytecode. The remote build compiles the packages and not the app, and an app that runs from
a package cannot write (https://learn.microsoft.com/azure/azure-functions/run-functions-from-deployment-package), so
without it every start would compile every module anew. Times do not survive the way there, so bytecode is held against
the hash of its source (PEP 552); another version of Python passes it over.
"""

import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from pathspec import GitIgnoreSpec

_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
"""The earliest time that a zip file can hold."""


def deployed_files(root: Path) -> list[Path]:
    """List the files below `root` that `.funcignore` does not exclude, relative to `root` and sorted."""
    ignored = GitIgnoreSpec.from_lines((root / ".funcignore").read_text(encoding="utf-8").splitlines())
    return sorted(Path(name) for name in ignored.match_tree_files(root, negate=True))


def build(root: Path, target: Path) -> list[Path]:
    """Write the zip of `root` to `target` and return the files in it, bytecode included."""
    with TemporaryDirectory(prefix="package-") as scratch:
        content = Path(scratch)
        for file in deployed_files(root):
            (content / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(root / file, content / file)
        _compile(content)
        files = sorted(path.relative_to(content) for path in content.rglob("*") if path.is_file())
        target.parent.mkdir(parents=True, exist_ok=True)
        with ZipFile(target, "w") as package:
            for file in files:
                entry = ZipInfo(file.as_posix(), _EPOCH)
                entry.external_attr = 0o644 << 16
                package.writestr(entry, (content / file).read_bytes(), ZIP_DEFLATED)
    return files


def unpacked(root: Path, target: Path) -> Path:
    """Write the zip of `root` to `target`, unpack it beside, and return that folder: the app as Azure runs it."""
    build(root, target)
    folder = target.with_suffix("")
    with ZipFile(target) as package:
        package.extractall(folder)
    return folder


def _compile(folder: Path) -> None:
    """Put its bytecode beside each module, in a fresh interpreter, since bytecode depends on what else one has read."""
    options = ["-q", "--invalidation-mode", "checked-hash", "-s", str(folder)]
    subprocess.run([sys.executable, "-I", "-m", "compileall", *options, str(folder)], check=True)


if __name__ == "__main__":
    _target = Path("dist/azure-sso.zip")
    _files = build(Path(), _target)
    print(f"{_target}: {len(_files)} files, {_target.stat().st_size / 1024:.0f} kB")
