"""`python -m tests.clients [GROUP or NAME ...]`: run the clients of `clients.toml`, all or those that are named.

A line for each says what it needs for a sign-in; clients whose toolchain this machine does not have come last. The
exit code is 1 if one does not do what the table says. `make clients` calls it.
"""

import sys

from local.processes import unwind_on_signals
from local.terminal import faint, good, say, strong
from tests.clients.groups import prepared
from tests.clients.provider import running_provider
from tests.clients.table import clients
from tests.clients.verdict import Verdict, verdict_of

_WORDS = {"default": "as documented", "none": "with codeBinding none", None: "does not sign in"}


def main(wanted: set[str]) -> None:
    """Run those that are named, or all."""
    unwind_on_signals()
    able, skipped = prepared([each for each in clients() if not wanted or {each.group, each.name} & wanted])
    verdicts = []
    with running_provider() as provider:
        for client in able:
            verdicts.append(verdict_of(client, provider))
            say(_line(verdicts[-1]))
    for client, reason in skipped:
        say(f"  {client.library:<32} {faint(f'skipped: {reason}')}")
    say(_summary(verdicts, len(skipped)))
    if wrong := [verdict.client.library for verdict in verdicts if not verdict.as_expected]:
        sys.exit(f"Not as clients.toml says: {', '.join(wrong)}")


def _line(verdict: Verdict) -> str:
    how = f"  {verdict.client.library:<32} {_WORDS[verdict.works]:<22} {verdict.seconds:5.1f} s"
    if verdict.as_expected:
        return f"{how}  {good('ok')}"
    return f"{how}  {strong('not as the table says')}\n{faint(verdict.seen)}"


def _summary(verdicts: list[Verdict], skipped: int) -> str:
    bare = [verdict.works for verdict in verdicts if verdict.client.extra is None]
    documented, unbound, no = (bare.count(works) for works in ("default", "none", None))
    return (
        f"\nOf {len(verdicts)} clients, {documented} sign in as documented, {unbound} with codeBinding none, "
        f"{len(verdicts) - len(bare)} with something more to set, {no} not. {skipped} were skipped."
    )


if __name__ == "__main__":
    main({*sys.argv[1:]})
