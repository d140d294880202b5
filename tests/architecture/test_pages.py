"""Every page is found from an index, every link leads somewhere, and every decision has its date and status."""

import re
from datetime import date
from pathlib import Path

import pytest

from local.processes import ROOT

DOCS = ROOT / "docs"
DECISIONS = DOCS / "decisions"
INDEX = (DECISIONS / "README.md").read_text(encoding="utf-8")
PAGES = sorted(DECISIONS.glob("[0-9]*.md"))
MARKDOWN = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])
SECTIONS = ["Context", "Decision", "Alternatives", "Consequences"]
HEADER = re.compile(
    r"# (?P<number>\d+)\. (?P<title>.+)\n\n"
    r"\* Status: (?P<status>proposed|accepted|superseded by \[\d+\]\([\w-]+\.md\))\n"
    r"\* Date: (?P<date>\d{4}-\d{2}-\d{2})\n\n"
)


def header(page: Path) -> dict[str, str]:
    match = HEADER.match(page.read_text(encoding="utf-8"))
    assert match, f"{page.name} does not begin as template.md does"
    return match.groupdict()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_decision_is_dated_and_has_the_sections_of_the_template(page: Path) -> None:
    assert f"{int(header(page)['number']):04}" == page.name[:4]
    assert date.fromisoformat(header(page)["date"]) >= date(2026, 11, 23)
    sections = re.findall(r"^## (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    assert "Decision" in sections
    assert sections == [section for section in SECTIONS if section in sections]


def test_decisions_are_numbered_without_a_gap() -> None:
    assert [int(header(page)["number"]) for page in PAGES] == [*range(1, len(PAGES) + 1)]


def test_the_index_lists_every_decision_as_it_is() -> None:
    listed = [line for line in INDEX.splitlines() if line.startswith("| ")][1:]
    found = [(header(page), page.name) for page in PAGES]
    assert listed == [
        f"| {head['number']} | [{head['title']}]({name}) | {head['status']} | {head['date']} |" for head, name in found
    ]


def test_the_template_has_the_sections_that_are_asked_for() -> None:
    template = (DECISIONS / "template.md").read_text(encoding="utf-8")
    assert re.findall(r"^## (.+)$", template, re.MULTILINE) == SECTIONS
    assert "* Status: proposed, accepted, or superseded by" in template
    assert "* Date: YYYY-MM-DD" in template


def test_the_index_of_the_documentation_leads_to_every_page() -> None:
    linked = {*re.findall(r"\]\(([\w./-]+\.md)\)", (DOCS / "README.md").read_text(encoding="utf-8"))}
    pages = {page.name for page in DOCS.glob("*.md")} - {"README.md"}
    assert linked >= pages | {"decisions/README.md"}


NOW = [page for page in MARKDOWN if page.name != "CHANGELOG.md"]
"""Pages that describe the code of today."""


@pytest.mark.parametrize("page", NOW, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_file_that_a_page_names_exists(page: Path) -> None:
    named = re.findall(r"`((?:functions|shared|infra|local|tests|bench|docs)/[\w./-]*\w)`", page.read_text("utf-8"))
    assert [name for name in named if not (ROOT / name).exists()] == []


@pytest.mark.parametrize("page", MARKDOWN, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_link_leads_to_a_page_and_a_heading(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for path, anchor in re.findall(r"\]\((?!https?:)([^)#\s]*)(?:#([\w-]+))?\)", text):
        if path == "NNNN-title.md":
            continue
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), path
        assert not anchor or anchor in headings(target), f"{path}#{anchor}"


def headings(page: Path) -> set[str]:
    """The anchors that GitHub makes of a page's headings."""
    found = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in found}
