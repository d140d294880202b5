"""Plays the commands that a script finds on its PATH: each call is recorded, and answered or failed as the play says.

It is strict: a call that no part expects is a failure of its own kind. What is on the PATH is a few lines of bash that
hand the call over, since an interpreter started for each call would be most of what a test costs.

The calls are also the state of the world, which outlives the script that made them: a part may wait for a call that has
taken effect. `breaks` makes one call fail in place of what is played, by the number that it has in its run; with `late`
it takes effect all the same, and only the answer is lost.

What `az` writes on standard error when something fails is in az_says.py, each text with where it comes from.
"""

import socketserver
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from tests.scripts.az_says import from_arm

NOT_IN_THE_PLAY = 70

_HANDED_OVER = """\
#!/usr/bin/env bash
exec 3<>/dev/tcp/127.0.0.1/{port}
printf '%s\\0' "$#" "{name}" "$@" "${{AZURE_CORE_ONLY_SHOW_ERRORS:-}}" >&3
IFS= read -r -d '' -u 3 code
IFS= read -r -d '' -u 3 answers
IFS= read -r -d '' -u 3 complains
printf '%s' "$answers"
printf '%s' "$complains" >&2
exit "$code"
"""


@dataclass(frozen=True)
class Part:
    """What is played `when` a command is called; `after` is a call that must have been made before."""

    when: str
    answers: str = ""
    complains: str = ""
    fails: int = 0
    times: int = 1_000
    after: str = ""


@dataclass(frozen=True)
class Break:
    """One call of a run fails, `at` that number; `late`: only after it took effect."""

    at: int
    late: bool = False
    complains: str = from_arm("InternalServerError", "Try later.")

    def __str__(self) -> str:
        return f"{'after' if self.late else 'at'} call {self.at}"


@dataclass(frozen=True)
class Call:
    """A call of a command, and the part that expected it."""

    run: int
    words: tuple[str, ...]
    part: Part | None
    took_effect: bool


@dataclass(frozen=True)
class Answered:
    """What the command answers its caller."""

    code: int
    answers: str = ""
    complains: str = ""


@dataclass
class Stage:
    """Where the play is given, inside a `with` block: runs of scripts, one after the other."""

    parts: Sequence[Part] = ()
    breaks: Break | None = None
    run: int = 0
    calls: list[Call] = field(default_factory=list)
    _at_a_time: threading.Lock = field(default_factory=threading.Lock)

    def __enter__(self) -> Self:
        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), self._hear)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def command(self, name: str) -> str:
        """The script that is `name` on the PATH."""
        return _HANDED_OVER.format(port=self._server.server_address[1], name=name)

    def _hear(self, *arguments: object) -> None:
        _Caller(self.answer, *arguments)

    def answer(self, words: tuple[str, ...], only_errors: str) -> Answered:
        """Play the part that expects this call."""
        with self._at_a_time:
            part = next((part for part in self.parts if self._expects(part, words)), None)
            number = sum(call.run == self.run for call in self.calls)
            broken = self.breaks if self.breaks is not None and self.breaks.at == number else None
            took_effect = part is not None and (broken.late if broken else part.fails == 0)
            self.calls.append(Call(self.run, words, part, took_effect))
        if part is None:
            return Answered(NOT_IN_THE_PLAY, complains=f"ERROR: nobody expects: {[*words]}\n")
        if broken:
            return Answered(1, complains=_complaint(broken.complains, only_errors))
        return Answered(part.fails, part.answers, _complaint(part.complains, only_errors))

    def _expects(self, part: Part, words: tuple[str, ...]) -> bool:
        """Whether this part is for this call: its words, its turn, and what has to have happened before."""
        if not _says(part.when, words):
            return False
        happened = any(call.took_effect and _says(part.after, call.words) for call in self.calls)
        return (not part.after or happened) and sum(call.part is part for call in self.calls) < part.times


class _Caller(socketserver.StreamRequestHandler):
    """One call: the number of its arguments, its words and the setting for warnings, each with a NUL behind it."""

    def __init__(self, answer: Callable[[tuple[str, ...], str], Answered], *arguments: object) -> None:
        self._answer = answer
        super().__init__(*arguments)

    def handle(self) -> None:
        count = int(self._read())
        words = tuple(self._read() for _ in range(count + 1))
        answered = self._answer(words, self._read())
        self.wfile.write(f"{answered.code}\0{answered.answers}\0{answered.complains}\0".encode())

    def _read(self) -> str:
        text = bytearray()
        while (byte := self.rfile.read(1)) != b"\0":
            assert byte, "the call was cut off"
            text += byte
        return text.decode()


def _complaint(text: str, only_errors: str) -> str:
    """As az does, without warnings where it was told so (knack.log)."""
    quiet = only_errors.lower() in {"1", "yes", "true", "on"}
    return "".join(line for line in text.splitlines(keepends=True) if not (quiet and line.startswith("WARNING")))


def _says(wanted: str, words: Sequence[str]) -> bool:
    """`az group show … --name x`: the call begins with what stands before the dots, and holds what follows them."""
    begins, *holds = wanted.split(" … ")
    spoken = " ".join(words) + " "
    return spoken.startswith(f"{begins} ") and all(part in spoken for part in holds)
