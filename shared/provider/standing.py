"""Whether a sign-in still stands when its code is redeemed: up to a minute has passed since it was completed.

The tokens that a code buys are good for ten minutes and cannot be taken back, so the account is asked once more.
"""

import asyncio
from dataclasses import dataclass

from shared.accounts.head import existed_at
from shared.kernel.names import EmailAddress
from shared.kernel.refusals import Invalid
from shared.ports.table import RowReader
from shared.provider.errors import invalid_grant
from shared.provider.issuer import Code, Person
from shared.resolution.resolver import Resolver
from shared.users.link import Link, link_key
from shared.users.user_key import UserKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Proves that the sign-in of a code still stands, for the typed address and for the one that tokens contain."""

    accounts: RowReader
    """The accounts' table as it is now."""
    resolver: Resolver
    """Resolves how the person signs in; remembers for ten seconds what other instances write."""

    async def prove(self, code: Code) -> None:
        """Prove that the account exists, that SSO applies to the person, and that the address is linked to them.

        It applies only if it does for every address that tokens contain.

        Raises:
            OAuthError: one of these no longer holds.
            Unavailable: the store does not respond.
        """
        person = code.person
        typed = code.typed or person.email or ""
        exists, linked, *applies = await asyncio.gather(
            existed_at(self.accounts, person.account_id, code.expires_at - Code.lifetime),
            self._is_linked(person, EmailAddress(typed)),
            *(self._applies(code, EmailAddress(each)) for each in {typed, *person.addresses}),
        )
        if not exists:
            raise invalid_grant("The account that the code was issued for no longer exists.")
        if not all(applies):
            raise invalid_grant("SSO no longer applies to the user that the code was issued for.")
        if not linked:
            raise invalid_grant("The user's link to the identity that the code was issued for was released.")

    async def _applies(self, code: Code, email: EmailAddress) -> bool:
        person = code.person
        try:
            resolution = await self.resolver.decide(email, code.client_id)
        except Invalid:
            return False  # the application was removed
        return (
            resolution.account_id == person.account_id
            and resolution.sso is not None
            and resolution.sso.tenant_id == person.tid
        )

    async def _is_linked(self, person: Person, email: EmailAddress) -> bool:
        row = await self.accounts.get(link_key(person.account_id, UserKey.of(person.account_id, email)))
        link = Link.read(row) if row else None
        return link is not None and (link.tid, link.oid) == (person.tid, person.oid)
