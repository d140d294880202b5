"""Issue and redeem flows; see the package."""

import hashlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from shared.kernel.refusals import FlowSpent
from shared.ports.clock import Clock
from shared.ports.record import Record
from shared.ports.table import Key, Put, Remove, Replace, Row, RowChanged, Table

HANDLE_LENGTH = 43
"""Characters of a handle: 32 random bytes in base64url. Fixed, because browsers have been seen to append to `state`."""

_NAME_LENGTH = 16


def digest(secret: str) -> str:
    """The hash that we store in place of a secret: SHA-256, in hexadecimal."""
    return hashlib.sha256(secret.encode(errors="surrogatepass")).hexdigest()


def name_of(handle: str) -> str:
    """A flow's name where its handle must not appear: the start of the handle's digest, in hexadecimal.

    64 bits distinguish the flows of one browser, and do not reveal the handle.
    """
    return digest(handle[:HANDLE_LENGTH])[:_NAME_LENGTH]


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
    start: ClassVar[str] = "Start again from the control panel."

    expires_at: datetime
    browser_digest: str | None = None


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Flows:
    """Issues and redeems flows."""

    table: Table
    """The table of flows."""
    clock: Clock
    """The time, for their expiry."""

    def expiry[F: Flow](self, kind: type[F]) -> datetime:
        """When a flow of this kind that is issued now will expire."""
        return self.clock.now() + kind.lifetime

    @staticmethod
    def new_handle() -> str:
        """A handle that is needed before its flow is issued: 32 random bytes in base64url."""
        return secrets.token_urlsafe(32)

    @staticmethod
    def bind(handle: str, kind: type[Flow]) -> Binding:
        """Bind the flow that will have this handle to a browser, by its own secret.

        The flow keeps only the digest of the secret, as its `browser_digest`.
        """
        return Binding(name_of(handle), secrets.token_urlsafe(32), kind.lifetime)

    async def issue(self, flow: Flow, handle: str | None = None) -> str:
        """Keep the flow and return its handle, the only thing by which it can be redeemed.

        The key is random, so a repeated write changes nothing.

        Args:
            flow: the data to keep.
            handle: from `new_handle`, if it was needed before.
        """
        handle = handle or self.new_handle()
        key = Key(digest(handle), flow.kind)
        await self.table.write(Put(key, flow.document(), expires_at=flow.expires_at))
        return handle

    async def redeem[F: Flow](self, handle: str, kind: type[F], browser: str | None = None) -> F:
        """Take the flow out, once.

        Another browser's attempt leaves the flow in place, so that nobody can spend it for its owner.

        Args:
            handle: from `issue`; anything after its 43 characters is ignored.
            kind: the sort of flow expected.
            browser: the secret that the browser sends for this flow, if it is bound to one.

        Raises:
            FlowSpent: unknown, used, expired, or bound to another browser.
        """
        row = await self._find(handle, kind)
        flow = kind.read(row)
        _must_own(flow, browser)
        try:
            await self.table.write(Remove(row))
        except RowChanged:
            raise FlowSpent(_spent(kind)) from None
        if flow.expires_at <= self.clock.now():
            raise FlowSpent(_spent(kind))
        return flow

    async def look[F: Flow](self, handle: str, kind: type[F], browser: str | None = None) -> F:
        """Read the flow without taking it out. Anyone with the handle may see the data of one without a browser.

        Raises:
            FlowSpent: unknown, used, expired, or bound to another browser.
        """
        flow = kind.read(await self._find(handle, kind))
        self._must_be_valid(flow, browser)
        return flow

    async def revise[F: Flow](
        self, handle: str, kind: type[F], change: Callable[[F], F], browser: str | None = None
    ) -> F:
        """Replace the flow by what `change` makes of it, and return that. Each of several callers starts from the last.

        Args:
            handle: from `issue`; anything after its 43 characters is ignored.
            kind: the sort of flow expected.
            change: returns the flow as it shall be; the same one writes nothing. It may refuse, and is called again
                after another caller was first, or after the answer to our own write was lost.
            browser: the secret that the browser sends for this flow, if it is bound to one.

        Raises:
            FlowSpent: unknown, used, expired, or bound to another browser.
        """
        while True:
            row = await self._find(handle, kind)
            flow = kind.read(row)
            self._must_be_valid(flow, browser)
            changed = change(flow)
            if changed == flow:
                return flow
            try:
                await self.table.write(Replace(row, changed.document(), changed.expires_at))
            except RowChanged:
                continue
            return changed

    def _must_be_valid(self, flow: Flow, browser: str | None) -> None:
        _must_own(flow, browser)
        if flow.expires_at <= self.clock.now():
            raise FlowEnded(flow, _spent(type(flow)))

    async def _find(self, handle: str, kind: type[Flow]) -> Row:
        row = await self.table.get(Key(digest(handle[:HANDLE_LENGTH]), kind.kind))
        if row is None:
            raise FlowSpent(_spent(kind))
        return row

    async def purge(self) -> int:
        """Remove expired flows and return their number. Any number of purges may run at once."""
        removed = 0
        async for row in self.table.expired(self.clock.now()):
            try:
                await self.table.write(Remove(row))
            except RowChanged:
                continue  # redeemed, or purged by another instance, since it was listed
            removed += 1
        return removed


def _must_own(flow: Flow, browser: str | None) -> None:
    if flow.browser_digest is not None and not hmac.compare_digest(flow.browser_digest, digest(browser or "")):
        raise ForeignFlow(flow)


def _spent(kind: type[Flow]) -> str:
    return f"It is unknown, was already used, or has expired. {kind.start}"
