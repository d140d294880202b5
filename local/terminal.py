"""How the local commands print: a little colour on a terminal, none in a pipe or with NO_COLOR set."""

import os
import sys
from typing import Final

# https://no-color.org
_COLOUR: Final = sys.stdout.isatty() and not os.environ.get("NO_COLOR")


def strong(text: str) -> str:
    """Text that readers should see first."""
    return _paint(text, "1")


def faint(text: str) -> str:
    """Text of minor importance."""
    return _paint(text, "2")


def good(text: str) -> str:
    """Text that reports success."""
    return _paint(text, "32")


def bad(text: str) -> str:
    """Text that reports a failure."""
    return _paint(text, "31")


def special(text: str) -> str:
    """Highlighted text, neither success nor failure."""
    return _paint(text, "33")


def say(text: str = "") -> None:
    """Print a line at once, also into a pipe."""
    print(text, flush=True)


def _paint(text: str, code: str) -> str:
    return f"\x1b[{code}m{text}\x1b[0m" if _COLOUR else text
