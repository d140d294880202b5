"""The table of client libraries, `clients.toml`, as values."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

HERE: Final = Path(__file__).parent


@dataclass(frozen=True, kw_only=True)
class Client:
    """A library: the program that uses it, and what is known of it. `clients.toml` says what each field means."""

    group: str
    name: str
    library: str
    package: str
    callback: str = "/callback"
    start: str = "/"
    works: Literal["default", "none"] | None = "default"
    why: str | None = None
    setting: str | None = None
    extra: str | None = None
    then: str | None = None
    refresh_tokens: bool = False
    in_tests: bool = False
    in_ci: bool = False

    @property
    def public(self) -> bool:
        """Whether it runs in a browser, which keeps no secret."""
        return self.group == "browser"

    @property
    def client_id(self) -> str:
        """What it is registered as."""
        return f"{self.group}-{self.name}".replace("_", "-")


def clients() -> list[Client]:
    """All of them, in the order of the table."""
    table = tomllib.loads((HERE / "clients.toml").read_text(encoding="utf-8"))
    return [
        Client(
            group=group, name=name, **{"package": line["library"], **line} | ({"works": None} if "why" in line else {})
        )
        for group, lines in table.items()
        for name, line in lines.items()
    ]
