"""What becomes of setup links while they are open: their pages are shown, and their buttons pressed."""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass

from shared.accounts.head import Head, read_head
from shared.connection.setup_links import SetupLink, SetupLinks
from shared.kernel.refusals import Refusal
from shared.ports.table import RowChanged, Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Keeps the progress of setup links, which is no change of the account and has no event."""

    table: Table
    """The accounts' table."""

    async def note(self, head: Head, link_id: str, change: Callable[[SetupLink], SetupLink]) -> None:
        """Put `change(link)` in place of a link; nothing if there is no such link, or it stays the same.

        Whoever opens a link goes on, even if this fails.
        """
        with contextlib.suppress(Refusal):
            while (changed := _changed(head, link_id, change)) is not None:
                try:
                    await self.table.write(head.stored(SetupLinks).rewrite(changed))
                except RowChanged:
                    head = await read_head(self.table, head.account_id)
                else:
                    return


def _changed(head: Head, link_id: str, change: Callable[[SetupLink], SetupLink]) -> SetupLinks | None:
    links = head.stored(SetupLinks).record
    changed = links.changed(link_id, change)
    return None if changed == links else changed
