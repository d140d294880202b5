"""Whom a sign-in expects where nobody has typed an address: the person of an `id_token_hint`, or the remembered one.

A browser that has signed in keeps a note of who it was (`RememberedPerson`), sealed by this deployment. The note is
never an authentication: it only says to which tenant the browser goes, and Microsoft says who is there. If that is
somebody else, the note is forgotten and the person is asked for their address. An `id_token_hint` demands its person
(OpenID Connect Core, section 3.1.2.1): nobody else may be answered with. Both are read here; `authorize` and `callback`
act on them.

    no note       a sign-in is completed: the note is kept
    note          a request that names nobody goes to that person's tenant
    note, asked   the browser was sent to Microsoft and has not come back: after a moment the next request asks for the
                  address, so that a page of Microsoft's from which nothing leads back holds up nobody
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.kernel.names import AccountId, EmailAddress, TenantId
from shared.kernel.refusals import NotAuthenticated
from shared.kernel.seals import Seal
from shared.ports.clock import Clock
from shared.ports.record import Record
from shared.ports.sign_in import VerifiedIdentity
from shared.ports.table import RowReader
from shared.ports.tokens import Tokens
from shared.provider.authorization_request import AuthorizationRequest, Prompt
from shared.provider.errors import OAuthError
from shared.provider.issuer import ID_TOKEN
from shared.users.identity import find_identity
from shared.users.link import Link, SignInRefused, link_key

REMEMBERED_FOR = timedelta(days=30)
"""How long a browser keeps the note; each sign-in renews it."""

LONGEST_NOTE = 2_500
"""Bytes of a note that a browser is asked to keep in one cookie. Microsoft's hint is as long as it likes."""

_AT_ONCE = timedelta(seconds=30)
"""How long further tabs may follow the first one to Microsoft."""

_UNANSWERED = timedelta(minutes=15)
"""For how long a way to Microsoft that nobody has come back from makes us ask for the address."""

_PURPOSE = "remembered person"


class AnotherPerson(SignInRefused):
    """Somebody else is signed in at Microsoft than the person whom the application, or the browser, expects."""

    slug = "another-person"
    title = "Somebody else is signed in at Microsoft"


class ExpectedPerson(Record):
    """Who is expected to sign in.

    `email` finds their account, and `entra_hint` their session at Microsoft. `sub` is what the application calls them,
    if its `id_token_hint` demands that it is this person; None for a remembered one.
    """

    tid: TenantId
    oid: str
    email: str | None
    entra_hint: str | None = None
    sub: str | None = None

    @property
    def demanded(self) -> bool:
        """Whether the application must not be answered with anybody else."""
        return self.sub is not None

    @property
    def address(self) -> EmailAddress | None:
        """The address, which was parsed before it was kept."""
        return EmailAddress(self.email) if self.email is not None else None

    def is_of(self, identity: VerifiedIdentity) -> bool:
        """Whether this is the person who has signed in at Microsoft."""
        return (self.tid, self.oid) == (identity.tid, identity.oid)


class RememberedPerson(Record):
    """What a browser keeps of the person who signed in last: `email` is the address by which they did."""

    tid: TenantId
    oid: str
    email: str
    entra_hint: str | None
    signed_in_at: datetime
    asked_at: datetime | None = None
    """When the browser was sent to Microsoft because of this note, unless it has come back since."""

    @property
    def expected(self) -> ExpectedPerson:
        """The person, as one who is expected."""
        return ExpectedPerson(tid=self.tid, oid=self.oid, email=self.email, entra_hint=self.entra_hint)

    def is_unanswered(self, now: datetime) -> bool:
        """Whether the browser was sent to Microsoft a while ago, and has not come back."""
        return self.asked_at is not None and _AT_ONCE <= now - self.asked_at < _UNANSWERED


@dataclass(frozen=True, slots=True)
class FromBrowser:
    """What the browser brings beside the request. Nothing of it is verified."""

    note: str | None = None
    """The note of who signed in last."""
    in_foreign_frame: bool = False
    """Whether the request is for a frame of another site, where browsers keep our cookies to themselves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedPeople:
    """Reads and writes notes, and finds out who is expected."""

    seal: Seal
    """Seals the notes."""
    tokens: Tokens
    """Verifies ID tokens of ours."""
    accounts: RowReader
    """Identities and links, for an ID token without an address; may be some seconds old."""
    clock: Clock
    """The time."""

    def note_of(self, identity: VerifiedIdentity, email: EmailAddress) -> str | None:
        """The note of a person who has just signed in, by this address; None if it is too long, or without a key."""
        person = RememberedPerson(
            tid=identity.tid,
            oid=identity.oid,
            email=email.address,
            entra_hint=identity.login_hint,
            signed_in_at=self.clock.now(),
        )
        return self._sealed(person)

    def asked(self, unverified_note: str | None) -> str | None:
        """The note of a person who is sent to Microsoft because of it."""
        person = self.remembered(unverified_note)
        return self._sealed(person.model_copy(update={"asked_at": self.clock.now()})) if person else None

    def remembered(self, unverified_note: str | None) -> RememberedPerson | None:
        """The person of a note of ours that is not too old."""
        text = self.seal.opened(_PURPOSE, unverified_note or "")
        person = RememberedPerson.model_validate_json(text) if text is not None else None
        return person if person and self.clock.now() - person.signed_in_at < REMEMBERED_FOR else None

    async def expected_by(self, request: AuthorizationRequest, unverified_note: str | None) -> ExpectedPerson | None:
        """Who is expected; None if the request names somebody by address, or nobody is known.

        An `id_token_hint` that proves nothing is ignored, unless the person cannot be asked.

        Raises:
            OAuthError: an `id_token_hint` names nobody, and `prompt=none` does not allow asking.
            Unavailable: the store or the key store does not respond.
        """
        silent, remembered = request.prompt is Prompt.NONE, self.remembered(unverified_note)
        if request.id_token_hint is not None:
            hinted = await self._hinted(request.id_token_hint, request.client_id, remembered)
            if hinted is not None:
                return hinted
            if silent:
                raise OAuthError("login_required", "id_token_hint is not an ID token of this client with a user.")
        if remembered is None or request.login_hint is not None or request.asks_who_it_is:
            return None
        return None if remembered.is_unanswered(self.clock.now()) and not silent else remembered.expected

    def _sealed(self, person: RememberedPerson) -> str | None:
        sealed = self.seal.closed(_PURPOSE, person.document())
        return sealed if sealed is not None and len(sealed.encode()) <= LONGEST_NOTE else None

    async def _hinted(
        self, unverified_id_token: str, client_id: str, remembered: RememberedPerson | None
    ) -> ExpectedPerson | None:
        """The person of an ID token that this client got from us, however long ago."""
        try:
            verified = await self.tokens.verify(unverified_id_token, ID_TOKEN, client_id, expired=True)
            person = ExpectedPerson.model_validate({"email": None, **verified.claims, "entra_hint": None})
            account_id = AccountId(str(verified.claims.get("account_id")))
        except (NotAuthenticated, ValueError):
            return None
        if remembered is not None and (remembered.tid, remembered.oid) == (person.tid, person.oid):
            return remembered.expected.model_copy(update={"sub": person.sub})
        if person.email is None:
            return person.model_copy(update={"email": await self._linked_email(account_id, person)})
        return person

    async def _linked_email(self, account_id: AccountId, person: ExpectedPerson) -> str | None:
        """An address of a person whose ID token has none: that of a link."""
        identity = (await find_identity(self.accounts, account_id, person.tid, person.oid)).stored.record
        row = await self.accounts.get(link_key(account_id, identity.links[-1])) if identity.links else None
        return Link.read(row).email if row else None
