"""Tables: printed as they are made, and written between their markers into docs/performance.md.

Text outside the markers is written by people and is never changed.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from local.processes import ROOT
from local.terminal import say, strong

PAGE: Final = ROOT / "docs" / "performance.md"
RUNBOOK: Final = ROOT / "docs" / "operations.md"


@dataclass(frozen=True, slots=True)
class Table:
    """One table of the page; `name` is that of its markers. The first column is text, the others are figures.

    `rounds` is how often its cases were measured; None if there is nothing to repeat.
    """

    name: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    rounds: int | None = None

    def value(self, row: str, column: str) -> float:
        """A figure of it. Raises KeyError if there is no such row, and ValueError if there is no such column."""
        return float({each[0]: each for each in self.rows}[row][self.columns.index(column)].replace(",", ""))

    def show(self) -> None:
        """Print it."""
        lines = [self.columns, *self.rows]
        widths = [max(len(line[place]) for line in lines) for place in range(len(self.columns))]
        for number, line in enumerate(lines):
            text = "  ".join(
                cell.rjust(width) if place else cell.ljust(width)
                for place, (cell, width) in enumerate(zip(line, widths, strict=True))
            )
            say(f"  {text if number else strong(text)}")
        say()

    def markdown(self) -> str:
        """The table in Markdown, for the page."""
        head = f"| {' | '.join(self.columns)} |"
        rule = f"|---|{'---:|' * (len(self.columns) - 1)}"
        return "\n".join([head, rule, *(f"| {' | '.join(row)} |" for row in self.rows)])


def read(page: Path = PAGE) -> list[Table]:
    """The tables of the page, as they were written last; one that was never measured has no rows."""
    found: list[Table] = []
    for name, text in re.findall(
        r"<!-- measured: (\w+) -->\n((?:(?!<!--).)*)<!-- end -->", page.read_text("utf-8"), re.DOTALL
    ):
        lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line[:1] == "|"]
        found.append(Table(name, lines[0] if lines else [], lines[2:]))
    return found


def write(tables: Sequence[Table], when: str, page: Path = PAGE) -> None:
    """Put tables in the places of the page that their names mark, and below each of them when it was measured.

    Raises ValueError if a place is missing.
    """
    text = page.read_text(encoding="utf-8")
    for table in tables:
        place = re.compile(rf"(<!-- measured: {table.name} -->\n)(?:(?!<!--).)*(<!-- end -->)", re.DOTALL)
        found = place.search(text)
        if not found:
            raise ValueError(f"{page} has no place that is marked for {table.name}.")
        rounds = f", {table.rounds} rounds" if table.rounds else ""
        before, after = text[: found.end(1)], text[found.start(2) :]
        text = f"{before}{table.markdown()}\n\nMeasured {when}{rounds}.\n{after}"
    page.write_text(text, encoding="utf-8")


def figure(value: float) -> str:
    """A number for readers: three significant digits, thousands separated."""
    if value >= 100:  # noqa: PLR2004 - from here on three digits need no fraction
        return f"{value:,.0f}"
    return f"{value:.3g}" if value else "0"
