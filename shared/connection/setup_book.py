"""The setup links of an account, as its Security Manager sees them: what has become of each, and its revocation."""

from dataclasses import dataclass

from shared.access.roles import AccountAdministrator, AccountReader
from shared.accounts.head import read_head
from shared.accounts.journal import Journal
from shared.connection.setup_links import ConnectionLinkRevoked, SetupLink, SetupLinks
from shared.kernel.refusals import NotFound, Stale
from shared.ports.clock import Clock
from shared.ports.table import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class SetupBook:
    """Lists setup links, and revokes them. `consent` makes them."""

    table: Table
    """The accounts' table."""
    journal: Journal
    """The audit trail."""
    clock: Clock
    """The time."""

    async def list(self, reader: AccountReader) -> tuple[SetupLink, ...]:
        """Every link that is open, or has been over for less than 30 days, the newest first.

        Raises:
            NotFound: there is no such account.
        """
        head = await read_head(self.table, reader.account_id)
        return head.stored(SetupLinks).record.kept(self.clock.now())

    async def revoke(self, administrator: AccountAdministrator, link_id: str) -> None:
        """Revoke a link, with the tries that it has begun. Safe to repeat: one that is over stays as it is.

        Raises:
            NotFound: there is no such account, or no such link.
        """
        account_id, actor, now = administrator.account_id, administrator.actor, self.clock.now()
        stored = (await read_head(self.table, account_id)).stored(SetupLinks)
        if stored.record.find(link_id) is None:
            raise NotFound("There is no such setup link.")
        revoked = stored.record.changed(link_id, lambda link: link.revoked(actor, now))
        if revoked == stored.record:
            return
        try:
            await self.journal.commit(
                account_id, actor, ConnectionLinkRevoked(setup_link=link_id), stored.rewrite(revoked)
            )
        except Stale:
            await self.revoke(administrator, link_id)
