"""Whether a sign-in still stands when its code is redeemed, or its tokens are renewed.

Up to a minute has passed since a sign-in was completed, or weeks. Tokens are good for ten minutes and cannot be taken
back, so the account is asked once more. For a code its rows may be ten seconds old: the link was read anew when the
sign-in was completed, and an instance sees at once what it has changed itself. Renewals read them anew.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta

from shared.accounts.head import existed_at, find_head
from shared.kernel.names import EmailAddress
from shared.kernel.refusals import Invalid
from shared.ports.table import Row, RowReader
from shared.provider.errors import invalid_grant
from shared.provider.issuer import Grant, Person
from shared.resolution.resolver import Resolver
from shared.users.link import Link, link_key
from shared.users.user_key import UserKey

_CLOCKS_DIFFER_BY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Proves that a sign-in still stands, for the typed address and for the one that tokens contain."""

    accounts: RowReader
    """The accounts' table as it is now."""
    recent: RowReader
    """The accounts' table as it was up to ten seconds ago."""
    resolver: Resolver
    """Resolves how the person signs in; remembers for ten seconds what other instances write."""

    async def prove(self, grant: Grant, *, renews: bool = False) -> None:
        """Prove that the account exists, that SSO applies to the person, and that the address is linked to them.

        It applies only if it does for every address that tokens contain, and none of these may have become a
        colleague's. A link that was released and made again is another one.

        Args:
            grant: what tokens are to be made of.
            renews: whether Microsoft was not asked lately, so that the tenant's consent must stand.

        Raises:
            OAuthError: one of these no longer holds.
            Unavailable: the store does not respond.
        """
        person = grant.person
        typed = grant.typed or person.email or ""
        others = person.addresses - {typed}
        links = _Links(self.accounts, None if renews else self.recent, grant)
        exists, linked, theirs, applies = await asyncio.gather(
            self._exists(grant, renews=renews),
            links.has(EmailAddress(typed)),
            _all(links.has_no_other(EmailAddress(each)) for each in others),
            _all(self._applies(grant, EmailAddress(each), renews=renews) for each in {typed, *others}),
        )
        if not exists:
            raise invalid_grant("The account of the user no longer exists.")
        if not applies:
            raise invalid_grant("SSO no longer applies to the user.")
        if not linked:
            raise invalid_grant("The user's link to the identity that has signed in was released.")
        if not theirs:
            raise invalid_grant("An address of the user has become somebody else's.")

    async def _exists(self, grant: Grant, *, renews: bool) -> bool:
        account_id = grant.person.account_id
        if renews:
            return await existed_at(self.accounts, account_id, grant.issued_at)
        head = await find_head(self.recent, account_id)  # as the decision reads it
        return head is not None and head.account.record.created_at <= grant.issued_at

    async def _applies(self, grant: Grant, email: EmailAddress, *, renews: bool) -> bool:
        person = grant.person
        try:
            resolution = await self.resolver.decide(email, grant.client_id)
        except Invalid:
            return False  # the application was removed
        return (
            resolution.account_id == person.account_id
            and resolution.sso is not None
            and resolution.sso.tenant_id == person.tid
            and (resolution.sso.consented or not renews)
        )


@dataclass(frozen=True, slots=True)
class _Links:
    """The links of the account, as a sign-in needs them.

    A remembered link may let a sign-in stand, and refuses none: another instance may have made it a moment ago.
    """

    accounts: RowReader
    recent: RowReader | None
    grant: Grant

    async def has(self, email: EmailAddress) -> bool:
        """Whether the address is linked to the person, and was when they signed in."""
        return await self._is_so(email, self._is_theirs)

    async def has_no_other(self, email: EmailAddress) -> bool:
        """Whether nobody else has been linked to it since the sign-in, which the tenant has vouched for then."""
        return await self._is_so(email, self._is_no_others)

    async def _is_so(self, email: EmailAddress, rule: Callable[[Link | None], bool]) -> bool:
        key = link_key(self.grant.person.account_id, UserKey.of(self.grant.person.account_id, email))
        remembered = self.recent is not None and rule(_link(await self.recent.get(key)))
        return remembered or rule(_link(await self.accounts.get(key)))

    def _is_theirs(self, link: Link | None) -> bool:
        if link is None or link.linked_at > self.grant.issued_at + _CLOCKS_DIFFER_BY:
            return False
        return _is_of(link, self.grant.person)

    def _is_no_others(self, link: Link | None) -> bool:
        return link is None or link.linked_at <= self.grant.issued_at or _is_of(link, self.grant.person)


def _link(row: Row | None) -> Link | None:
    return Link.read(row) if row else None


def _is_of(link: Link, person: Person) -> bool:
    return (link.tid, link.oid) == (person.tid, person.oid)


async def _all(checks: Iterable[Awaitable[bool]]) -> bool:
    return all(await asyncio.gather(*checks))
