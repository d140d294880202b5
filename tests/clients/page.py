"""`python -m tests.clients.page`: write the parts of `docs/clients.md` that come from the table and the programs.

A test holds the page against them.
"""

import json
import re
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent
from typing import Final

from local.processes import ROOT
from tests.clients.table import HERE, Client, clients

PAGE: Final = ROOT / "docs" / "clients.md"

_TITLES: Final = {
    "dev": "Python",
    "python": "Python",
    "python_apart": "Python",
    "node": "Node",
    "browser": "In a browser (a public client)",
    "go": "Go",
    "java": "Java",
    "rust": "Rust",
    "apache": "Debian's packages",
    "ruby": "Debian's packages",
    "perl": "Debian's packages",
}
_LANGUAGES: Final = {
    ".mjs": "js",
    ".ts": "ts",
    ".tsx": "tsx",
    ".py": "python",
    ".go": "go",
    ".sh": "sh",
    ".java": "java",
    ".properties": "properties",
    ".rs": "rust",
    ".rb": "ruby",
    ".pl": "perl",
    ".conf": "apache",
}
_REGION: Final = re.compile(r"^[^\n]*region sign-in\n(.*?)\n[^\n]*endregion", re.DOTALL | re.MULTILINE)


def main() -> None:
    """Write them."""
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")


def written(page: str) -> str:
    """The page with its generated parts as they have to be."""
    for name, text in {"counts": _counts(), "table": _table(), "lines": _lines()}.items():
        begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->"
        before, _, rest = page.partition(begin)
        page = before + begin + text + end + rest.partition(end)[2]
    return page


def _counts() -> str:
    every = clients()
    bare = [client.works for client in every if client.extra is None]
    documented, unbound, no = (bare.count(works) for works in ("default", "none", None))
    return (
        f"Of {len(every)} clients, **{documented} sign in as their own documentation shows a generic provider**, "
        f"with issuer, client id,\nsecret and redirect URI alone and the default registration, and {unbound} more with "
        f"`codeBinding: none` in the registration.\n{len(every) - len(bare)} need something else, and {no} does not "
        "sign in.\n"
    )


def _table() -> str:
    rows = ["| library | version | signs in |", "|---|---|---|"]
    rows += [f"| {client.library} | {version(client)} | {_how(client)} |" for client in clients()]
    return "\n".join(rows) + "\n"


def _how(client: Client) -> str:
    match client.works:
        case "default":
            return f"with {client.extra}" if client.extra else "as documented"
        case "none" if client.setting:
            return f"with `{client.setting}`, or as documented with `codeBinding: none`"
        case "none":
            return f"with {f'{client.extra} and ' if client.extra else ''}`codeBinding: none`"
        case _:
            return f"no: {client.why}"


def _lines() -> str:
    parts, title = [], None
    for client in clients():
        if _TITLES[client.group] != title:
            title = _TITLES[client.group]
            parts.append(f"### {title}\n")
        for file in program_files(client):
            for lines in _REGION.findall(file.read_text(encoding="utf-8")):
                code = f"```{_LANGUAGES[file.suffix]}\n{dedent(lines).rstrip()}\n```"
                parts.append(f"<details><summary>{client.library}</summary>\n\n{code}\n</details>\n")
    return "\n".join(parts) + "\n"


def program_files(client: Client) -> list[Path]:
    """The files of its program."""
    found = [HERE / client.group / client.name, *sorted((HERE / client.group).glob(f"{client.name}.*"))]
    files = [file for each in found for file in (sorted(each.rglob("*")) if each.is_dir() else [each])]
    return [file for file in files if file.suffix in _LANGUAGES]


def version(client: Client) -> str:
    """The version that the lock file of its group pins."""
    return _VERSIONS[client.group](client)


def _of_pip(client: Client) -> str:
    at = ROOT / "requirements-dev.txt" if client.group == "dev" else HERE / client.group / "requirements.txt"
    return _found(at, rf"^{re.escape(client.package)}(?:\[\S*\])?==(\S+)")


def _of_npm(client: Client) -> str:
    lock = json.loads((HERE / client.group / "package-lock.json").read_text(encoding="utf-8"))
    return str(lock["packages"][f"node_modules/{client.package}"]["version"])


def _of_go(client: Client) -> str:
    return _found(HERE / "go" / "go.mod", rf"^\s*{re.escape(client.package)} v(\S+)")


def _of_maven(client: Client) -> str:
    artifact = client.package.partition(":")[2]
    pom = HERE / "java" / client.name / "pom.xml"
    return _found(pom, rf"<artifactId>{artifact}</artifactId>\s*<version>([^<]+)</version>")


def _of_cargo(client: Client) -> str:
    return _found(HERE / "rust" / "Cargo.toml", rf'^{re.escape(client.package)} = .*"=([0-9.]+)"')


def _found(file: Path, pattern: str) -> str:
    found = re.search(pattern, file.read_text(encoding="utf-8"), re.MULTILINE)
    assert found, f"{file} names no version of {pattern}"
    return found[1]


_VERSIONS: Final[dict[str, Callable[[Client], str]]] = {
    "dev": _of_pip,
    "python": _of_pip,
    "python_apart": _of_pip,
    "node": _of_npm,
    "browser": _of_npm,
    "go": _of_go,
    "java": _of_maven,
    "rust": _of_cargo,
    "apache": lambda _: "Debian 12",
    "ruby": lambda _: "Debian 12",
    "perl": lambda _: "Debian 12",
}


if __name__ == "__main__":
    main()
