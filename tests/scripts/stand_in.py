"""Plays a command on the PATH: it records how it was called, and answers or fails as the play says.

Run as `python stand_in.py <command> <arguments>` with `STAND_IN` naming a folder: `play.json` holds the parts, and
`calls.jsonl` takes the calls. It is strict: a call that no part expects is a failure of its own kind.

The calls are also the state of the world, which outlives the script that made them: a part may wait for a call that has
taken effect. `breaks` in the play makes one call fail in place of what is played, by the number that it has in its run;
with `late` it takes effect all the same, and only the answer is lost.

What `az` writes on standard error when something fails is in az_says.py, each text with where it comes from.
"""

import json
import os
import sys

# No more than these: a test starts dozens of these processes, and imports are most of what each costs.

NOT_IN_THE_PLAY = 70


def main(words: list[str]) -> int:
    folder = os.environ["STAND_IN"]
    run = int(os.environ["STAND_IN_RUN"])
    with open(f"{folder}/play.json", encoding="utf-8") as file:  # noqa: PTH123 - pathlib costs more than all the rest
        play = json.load(file)
    with open(f"{folder}/calls.jsonl", "a+", encoding="utf-8") as file:  # noqa: PTH123 - likewise
        file.seek(0)
        before = [json.loads(line) for line in file]
    number = next((at for at, part in enumerate(play["parts"]) if expects(part, at, words, before)), None)
    breaks = play["breaks"]
    breaks_now = breaks is not None and sum(call["run"] == run for call in before) == breaks["at"]
    part = None if number is None else play["parts"][number]
    fails = bool(breaks_now) or part is None or part["fails"] != 0
    took_effect = not fails or bool(breaks_now and breaks["late"])
    with open(f"{folder}/calls.jsonl", "a", encoding="utf-8") as file:  # noqa: PTH123 - likewise
        file.write(json.dumps({"run": run, "words": words, "part": number, "took_effect": took_effect}) + "\n")
    if part is None:
        sys.stderr.write(f"ERROR: nobody expects: {words}\n")
        return NOT_IN_THE_PLAY
    if breaks_now:
        complain(breaks["complains"])
        return 1
    sys.stdout.write(part["answers"])
    complain(part["complains"])
    return int(part["fails"])


def complain(text: str) -> None:
    """As az does, without warnings where it was told so (knack.log)."""
    only_errors = os.environ.get("AZURE_CORE_ONLY_SHOW_ERRORS", "").lower() in {"1", "yes", "true", "on"}
    for line in text.splitlines(keepends=True):
        if not (only_errors and line.startswith("WARNING")):
            sys.stderr.write(line)


def expects(part: dict, number: int, words: list[str], before: list[dict]) -> bool:
    """Whether this part is for this call: its words, its turn, and what has to have happened before."""
    if not says(part["when"], words):
        return False
    times = sum(call["part"] == number for call in before)
    happened = any(call["took_effect"] and says(part["after"], call["words"]) for call in before)
    return (not part["after"] or happened) and times < int(part["times"])


def says(wanted: str, words: list[str]) -> bool:
    """`az group show … --name x`: the call begins with what stands before the dots, and holds what follows them."""
    begins, *holds = wanted.split(" … ")
    spoken = " ".join(words) + " "
    return spoken.startswith(f"{begins} ") and all(part in spoken for part in holds)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
