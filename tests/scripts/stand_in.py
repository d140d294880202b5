"""Plays a command on the PATH: it records how it was called, and answers or fails as the play says.

Run as `python stand_in.py <command> <arguments>` with `STAND_IN` naming a folder: `play.json` holds the parts, and
`calls.jsonl` takes the calls. It is strict: a call that no part expects is a failure of its own kind.
"""

import json
import os
import shlex
import sys
from pathlib import Path

NOT_IN_THE_PLAY = 70


def main(words: list[str]) -> int:
    folder = Path(os.environ["STAND_IN"])
    file = folder / "calls.jsonl"
    before = [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
    number = next((at for at, part in enumerate(play(folder)) if expects(part, at, words, before)), None)
    with file.open("a") as calls:
        calls.write(json.dumps({"words": words, "part": number}) + "\n")
    if number is None:
        sys.stderr.write(f"ERROR: nobody expects: {shlex.join(words)}\n")
        return NOT_IN_THE_PLAY
    part = play(folder)[number]
    sys.stdout.write(part["answers"])
    sys.stderr.write(part["complains"])
    return int(part["fails"])


def play(folder: Path) -> list[dict[str, str]]:
    parts: list[dict[str, str]] = json.loads((folder / "play.json").read_text())
    return parts


def expects(part: dict[str, str], number: int, words: list[str], before: list[dict[str, object]]) -> bool:
    """Whether this part is for this call: its words, its turn, and what has to have happened before."""
    times = sum(call["part"] == number for call in before)
    happened = any(says(part["after"], call["words"]) for call in before)
    return says(part["when"], words) and (not part["after"] or happened) and times < int(part["times"])


def says(wanted: str, words: list[str]) -> bool:
    """`az group show … --name x`: the call begins with what stands before the dots, and holds what follows them."""
    begins, *holds = wanted.split(" … ")
    spoken = " ".join(words) + " "
    return spoken.startswith(f"{begins} ") and all(part in spoken for part in holds)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
