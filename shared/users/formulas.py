"""Texts that a spreadsheet must not run as formulas (OWASP, "CSV Injection"): guarded by apostrophes, and read back.

Quotation marks do not help: a spreadsheet whose list separator is a semicolon splits a file of commas at semicolons,
also those between quotation marks that do not begin a cell of its own. So the text is guarded wherever a cell could
begin. `without_guards(with_guards(text)) == text` for every text.
"""

import re

from shared.kernel.names import PASTED

_SPLITS = ",;\t"
_RUNS = "=+@\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b-"
"""What begins a formula, full-width and small forms among it, which Japanese spreadsheets take, too."""

_BEFORE = re.escape(PASTED.replace("\t", "") + "'\"")
"""What may stand before a formula: it is dropped, or is a guard already."""

_FORMULA = rf"(?=[{_BEFORE}]*+[{_RUNS}])"
_BARE = re.compile(rf"(^|[{_SPLITS}]){_FORMULA}")
_GUARDED = re.compile(rf"(^|[{_SPLITS}])'{_FORMULA}")


def with_guards(text: str) -> str:
    """An apostrophe before whatever a spreadsheet would run, and before what would be taken for such a guard."""
    return _BARE.sub(r"\1'", text)


def without_guards(text: str) -> str:
    """The text that was guarded."""
    return _GUARDED.sub(r"\1", text)
