"""Issue, find and take flows; see the package."""

import hashlib
import hmac
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import ClassVar

from shared.flows.expiry import minute_of, partition_of
from shared.flows.inserted import insert_once
from shared.flows.issued import Issued
from shared.flows.purge import purge_expired
from shared.kernel.refusals import FlowSpent, Unavailable
from shared.ports.clock import Clock
from shared.ports.record import Record
from shared.ports.table import Insert, Key, Put, Remove, Replace, Row, RowChanged, RowExists, Table

HANDLE = re.compile(r"(?:([0-9]{8}T[0-9]{4}(?:-[0-9a-f])?)\.)?[A-Za-z0-9_-]{43}")
"""The minute of expiry, which finds the row by one point read, and 32 random bytes in base64url.

The shard is between them if the row lies beside others (`shared.flows.beside`); else the handle's own hash tells it.
Browsers append to `state`, so only the start of a text has to match. Handles of earlier releases have no minute.
"""


def digest(secret: str) -> str:
    """The hash that we store in place of a secret: SHA-256, in hexadecimal."""
    return hashlib.sha256(secret.encode(errors="surrogatepass")).hexdigest()


def name_of(handle: str) -> str:
    """A flow's name where its handle must not appear: the start of the handle's digest, in hexadecimal.

    64 bits distinguish the flows of one browser, and do not reveal the handle.
    """
    return digest(handle_in(handle))[:16]


def handle_in(text: str) -> str:
    """The handle at the start of a text that a browser sent; the whole text if there is none."""
    start = HANDLE.match(text)
    return start[0] if start else text


@dataclass(frozen=True, slots=True)
class Binding:
    """Binds one flow to one browser, which sends `secret` under the flow's name as long as the flow lives."""

    flow: str
    secret: str
    lifetime: timedelta


class Flow(Record):
    """The server-side data of a browser between two requests.

    `kind` keeps one sort from being taken for another; `start` tells a person what to do once it is spent.
    """

    kind: ClassVar[str]
    lifetime: ClassVar[timedelta]
    is_copied: ClassVar[bool] = False
    """Whether the instance that issues it keeps a copy. Such a flow is only taken, or only revised."""
    start: ClassVar[str] = "Start again from the control panel."

    expires_at: datetime
    browser_digest: str | None = None
    taken_by: str | None = None
    """The receipt of the caller who has taken it."""
    revised_by: str | None = None
    """The receipt of the caller who has revised it last."""


class FlowEnded(FlowSpent):
    """The flow is over, and it was this browser's.

    Args:
        flow: the data, which may show a way on.
        detail: a sentence that says what to do.
    """

    def __init__(self, flow: Flow, detail: str) -> None:
        super().__init__(detail)
        self.flow = flow


class ForeignFlow(FlowSpent):
    """The flow is another browser's.

    Args:
        flow: the data, of which nothing private may be shown.
    """

    def __init__(self, flow: Flow) -> None:
        super().__init__(f"It was started in another browser. {flow.start}")
        self.flow = flow


@dataclass(frozen=True, slots=True)
class Held[F: Flow]:
    """A flow that was found, and that nobody had taken."""

    flow: F
    row: Row


@dataclass(frozen=True, slots=True, kw_only=True)
class Flows:
    """Issues, finds and takes flows."""

    table: Table
    """The table of flows."""
    clock: Clock
    """The time, for their expiry."""
    _issued: Issued = field(init=False, repr=False, default_factory=Issued)

    def expiry[F: Flow](self, kind: type[F]) -> datetime:
        """When a flow of this kind that is issued now will expire."""
        return self.clock.now() + kind.lifetime

    def new_handle(self, kind: type[Flow], longer: timedelta = timedelta(0)) -> str:
        """A handle that is needed before its flow is issued.

        Args:
            kind: the sort of flow.
            longer: how much longer than the flow lives its row is kept, for those that follow (`shared.flows.once`).
        """
        return _handle(self.expiry(kind) + longer)

    @staticmethod
    def bind(handle: str, kind: type[Flow]) -> Binding:
        """Bind the flow that will have this handle to a browser, by its own secret.

        The flow keeps only the digest of the secret, as its `browser_digest`.
        """
        return Binding(name_of(handle), secrets.token_urlsafe(32), kind.lifetime)

    async def issue(self, flow: Flow, handle: str | None = None, *beside: Put) -> str:
        """Keep the flow and return its handle, the only thing by which it can be found.

        Args:
            flow: the data to keep.
            handle: if it was needed before, or follows from another one (`shared.flows.once`).
            beside: what the same transaction writes, in the same partition.

        Raises:
            FlowSpent: there was one of its kind under this handle, whatever has become of it.
        """
        handle = handle or _handle(flow.expires_at)
        insert = Insert(key_of(handle, flow.kind), flow.document())
        try:
            etag = await insert_once(self.table, insert, *beside)
        except RowExists:
            raise FlowSpent(spent(type(flow))) from None
        if flow.is_copied and etag:
            self._issued.keep(Row(insert.key, insert.document, etag))
        return handle

    async def put(self, flow: Flow, handle: str) -> None:
        """Keep a flow that is only looked at, also in place of one before it."""
        await self.table.write(Put(key_of(handle, flow.kind), flow.document()))

    async def find[F: Flow](self, handle: str, kind: type[F], browser: str | None = None) -> Held[F]:
        """Find the flow without taking it.

        Args:
            handle: from `issue`; anything after it is ignored.
            kind: the sort of flow expected.
            browser: the secret that the browser sends for this flow, if it is bound to one.

        Raises:
            FlowEnded: taken, or expired.
            ForeignFlow: bound to another browser.
            FlowSpent: unknown.
        """
        start = HANDLE.match(handle)
        return self._held(await self.table.get(key_of(start[0], kind.kind)) if start else None, kind, browser)

    async def hold[F: Flow](self, handle: str, kind: type[F], browser: str | None = None) -> Held[F]:
        """`find` for whoever takes or revises the flow: that write tells whether a copy is still as it was issued."""
        copy = self._issued.pop(key_of(handle_in(handle), kind.kind))
        return self._held(copy, kind, browser) if copy else await self.find(handle, kind, browser)

    def _held[F: Flow](self, row: Row | None, kind: type[F], browser: str | None) -> Held[F]:
        if row is None:
            raise FlowSpent(spent(kind))
        flow = kind.read(row)
        if flow.browser_digest is not None and not hmac.compare_digest(flow.browser_digest, digest(browser or "")):
            raise ForeignFlow(flow)
        if flow.taken_by is not None or flow.expires_at <= self.clock.now():
            raise FlowEnded(flow, spent(kind))
        return Held(flow, row)

    async def take[F: Flow](self, held: Held[F]) -> F:
        """Take the flow. Of any number of callers who have found it, exactly one succeeds.

        The row keeps a receipt: if the response was lost, or the SDK has repeated the write, the flow is this caller's.

        Raises:
            FlowSpent: another caller has taken it.
            Unavailable: the store does not respond. The flow is not taken, unless two responses were lost.
        """
        receipt = secrets.token_urlsafe(16)
        try:
            await self.table.write(_taking(held, receipt))
        except (RowChanged, Unavailable) as failure:
            row = await self.table.get(held.row.key)
            if row is not None and row.etag == held.row.etag:
                raise failure from None
            if row is None or Flow.read(row).taken_by != receipt:
                raise FlowSpent(spent(type(held.flow))) from None
        return held.flow

    async def redeem[F: Flow](self, handle: str, kind: type[F], browser: str | None = None) -> F:
        """Find the flow and take it, once.

        Another browser's attempt leaves the flow in place, so that nobody can spend it for its owner.

        Raises:
            FlowSpent: unknown, taken, expired, or bound to another browser.
        """
        return await self.take(await self.hold(handle, kind, browser))

    async def look[F: Flow](self, handle: str, kind: type[F], browser: str | None = None) -> F:
        """Read the flow without taking it. Anyone with the handle may see the data of one that is bound to no browser.

        Raises:
            FlowSpent: unknown, taken, expired, or bound to another browser.
        """
        return (await self.find(handle, kind, browser)).flow

    async def revise[F: Flow](
        self, handle: str, kind: type[F], change: Callable[[F], F], browser: str | None = None
    ) -> F:
        """Replace the flow by what `change` makes of it, and return that. Each of several callers starts from the last.

        Args:
            handle: from `issue`; anything after it is ignored.
            kind: the sort of flow expected.
            change: returns the flow as it shall be; the same one writes nothing. It may refuse, and is called again
                after another caller was first.
            browser: the secret that the browser sends for this flow, if it is bound to one.

        Raises:
            FlowSpent: unknown, taken, expired, or bound to another browser.
        """
        held = await self.hold(handle, kind, browser)
        while True:
            changed = change(held.flow)
            if changed == held.flow:
                return held.flow
            changed = changed.model_copy(update={"revised_by": secrets.token_urlsafe(16)})
            try:
                await self.table.write(_revision(held, changed))
            except (RowChanged, Unavailable) as failure:
                row = await self.table.get(held.row.key)
                if row is None or Flow.read(row).revised_by != changed.revised_by:
                    if isinstance(failure, Unavailable):
                        raise
                    held = self._held(row, kind, browser)
                    continue
            return changed

    async def purge(self) -> int:
        """Remove everything that has expired and return its number of rows. Any number of purges may run at once."""
        return await purge_expired(self.table, self.clock.now())


def _handle(expires_at: datetime) -> str:
    return f"{minute_of(expires_at)}.{secrets.token_urlsafe(32)}"


def key_of(handle: str, kind: str) -> Key:
    """The key of the flow with this handle. A handle of an earlier release is its own partition."""
    time, dot, _ = handle.rpartition(".")
    name = digest(handle)
    minute, _, shard = time.partition("-")
    return Key(partition_of(minute, shard or name), f"{kind}:{name}") if dot else Key(name, kind)


def _taking[F: Flow](held: Held[F], receipt: str) -> Replace | Remove:
    """The write by which a caller takes the flow. A row of an earlier release would lose its expiry, so it goes."""
    if held.row.key.row == held.flow.kind:
        return Remove(held.row)
    return Replace(held.row, held.flow.model_copy(update={"taken_by": receipt}).document())


def _revision[F: Flow](held: Held[F], changed: F) -> Replace | Put:
    """The write that revises a flow. A row of an earlier release would lose its expiry, so it is put anew."""
    if held.row.key.row == held.flow.kind:
        return Put(held.row.key, changed.document(), changed.expires_at)
    return Replace(held.row, changed.document())


def spent(kind: type[Flow]) -> str:
    """The words for a flow that is unknown, taken or expired."""
    return f"It is unknown, was already used, or has expired. {kind.start}"
