"""Guards texts that a spreadsheet would run as formulas (OWASP, "CSV Injection") by apostrophes, and reads them back.

Quotation marks do not help: a spreadsheet whose list separator is a semicolon splits a comma-separated file at
semicolons, also between quotation marks that do not begin one of its own cells. So the text is guarded wherever a cell
could begin. `without_guards(with_guards(text)) == text` for every text.
"""

import re

from shared.kernel.names import PASTED

_SPLITS = ",;\t"
_RUNS = "=+@\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b-"
"""Characters that begin a formula, including full-width and small forms, which Japanese spreadsheets accept."""

_BEFORE = re.escape(PASTED.replace("\t", "") + "'\"")
"""Characters that may come before a formula: spreadsheets drop them, or they are a guard already."""

_FORMULA = rf"(?=[{_BEFORE}]*+[{_RUNS}])"
_BARE = re.compile(rf"(^|[{_SPLITS}]){_FORMULA}")
_GUARDED = re.compile(rf"(^|[{_SPLITS}])'{_FORMULA}")


def with_guards(text: str) -> str:
    """Put an apostrophe before everything that a spreadsheet would run, and before text that looks like a guard."""
    return _BARE.sub(r"\1'", text)


def without_guards(text: str) -> str:
    """Return the original text of a guarded one."""
    return _GUARDED.sub(r"\1", text)
