"""The tables of a storage account, as the port has them.

One operation is a plain request, whatever it is; several are one entity group transaction.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from shared.adapters.continuations import FOREIGN, closed, opened
from shared.adapters.tables import requests
from shared.adapters.tables.account import Account
from shared.adapters.tables.entities import check_key, check_operations, row_of
from shared.adapters.tables.requests import Answer, Request, unexpected
from shared.adapters.tables.transactions import Failure, batch, outcome_of
from shared.kernel.refusals import Invalid, Refusal
from shared.ports.table import Insert, Key, Operation, Page, Row, RowChanged, RowExists

if TYPE_CHECKING:
    from shared.adapters.tables.pipeline import Pipeline

type Next = Mapping[str, str | None]

_ABSENT: Final = frozenset({"ResourceNotFound", "EntityNotFound"})
"""Codes of 404 for an entity. `TableNotFound` is another one: a missing table is no absent row."""

_CHANGED: Final = frozenset({"UpdateConditionNotSatisfied", "ConditionNotMet"})
"""Codes of 412."""

_TAKEN: Final = frozenset({"EntityAlreadyExists"})
"""Codes of 409 for an entity; https://learn.microsoft.com/rest/api/storageservices/table-service-error-codes"""


class AzureTables:
    """The storage account. Its connections belong to the event loop of its first use.

    Args:
        account: where it is, and what proves to it who asks.
        ca_file: trusted beside the machine's own authorities; for development.
    """

    def __init__(self, account: Account, ca_file: str | None = None) -> None:
        self._account = account
        self._ca_file = ca_file
        self._pipeline: Pipeline | None = None

    @property
    def endpoint(self) -> str:
        """Where the account is."""
        return self._account.endpoint

    def table(self, name: str) -> "AzureTable":
        """One of its tables."""
        return AzureTable(tables=self, name=name)

    async def ask(self, request: Request) -> Answer:
        """The answer to a request, whatever it is. Raises Unavailable if there is none."""
        if self._pipeline is None:
            from shared.adapters.tables.pipeline import Pipeline

            self._pipeline = Pipeline(self._account, self._ca_file)
        return await self._pipeline.ask(request)

    async def close(self) -> None:
        """Close the connections."""
        if self._pipeline is not None:
            await self._pipeline.close()
            self._pipeline = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AzureTable:
    """One table; see `shared.ports.table.Table` for what it promises."""

    tables: AzureTables
    """The storage account."""
    name: str
    """The table's name in it."""

    async def get(self, key: Key) -> Row | None:
        """See the port."""
        check_key(key)
        answer = await self.tables.ask(requests.point_read(self.name, key))
        if answer.status == 404 and answer.code in _ABSENT:  # noqa: PLR2004 - HTTP has names for numbers only in prose
            return None
        (row,) = _rows([_found(answer)], lambda found: found == key)
        return row

    async def under(self, partition: str, prefix: str) -> tuple[Row, ...]:
        """See the port."""
        return tuple([row async for row in self._all(requests.under(partition, prefix), _family(partition, prefix))])

    async def page(self, partition: str, prefix: str, size: int, continuation: str | None) -> Page:
        """See the port."""
        rows: tuple[Row, ...] = ()
        more: Next | None = opened(continuation)
        condition = requests.under(partition, prefix)
        while not rows and more != {}:
            answer = await self.tables.ask(requests.query(self.name, condition, size, more))
            if continuation is not None and answer.status == 400:  # noqa: PLR2004 - HTTP's number
                raise Invalid(FOREIGN)
            rows = _rows(_entities(answer), _family(partition, prefix))
            more = requests.continuation_of(answer)
        return Page(rows, closed(more))

    async def write(self, *operations: Operation) -> tuple[str, ...]:
        """See the port."""
        check_operations(operations)
        changes = [requests.change(self.name, operation) for operation in operations]
        if len(changes) == 1:
            answer = await self.tables.ask(changes[0])
            if answer.status not in (201, 204):
                raise _refusal(operations[0], answer.status, answer.code)
            return (answer.headers.get("ETag", ""),)
        outcome = outcome_of(await self.tables.ask(batch(self.tables.endpoint, changes)), len(changes))
        if isinstance(outcome, Failure):
            raise _refusal(_failed(operations, outcome), outcome.status, outcome.code)
        return outcome

    async def expired(self, now: datetime, first: str = "") -> AsyncIterator[Row]:
        """See the port."""
        async for row in self._all(requests.expired(now, first), lambda _: True):
            yield row

    async def partitions_before(self, partition: str) -> AsyncIterator[Row]:
        """See the port. A range of the primary index: what it costs depends on the rows it returns."""
        async for row in self._all(requests.before(partition), lambda _: True):
            yield row

    async def _all(self, condition: str, belongs: Callable[[Key], bool]) -> AsyncIterator[Row]:
        """Every row of a query, however many empty pages the store answers in between.

        It may answer one with a continuation whenever a query crosses its servers or takes long
        (https://learn.microsoft.com/rest/api/storageservices/query-timeout-and-pagination).
        """
        more: Next | None = None
        while more != {}:
            answer = await self.tables.ask(requests.query(self.name, condition, continuation=more))
            for row in _rows(_entities(answer), belongs):
                yield row
            more = requests.continuation_of(answer)


def _family(partition: str, prefix: str) -> Callable[[Key], bool]:
    return lambda key: key.partition == partition and key.row.startswith(prefix)


def _found(answer: Answer) -> dict[str, object]:
    """The document of a read that succeeded. Raises Unavailable if it did not."""
    if answer.status != 200:  # noqa: PLR2004 - HTTP's number
        raise unexpected()
    return answer.document()


def _entities(answer: Answer) -> list[object]:
    """The entities of a page. Raises Unavailable if it is none."""
    entities = _found(answer).get("value")
    if not isinstance(entities, list):
        raise unexpected()
    return entities


def _rows(entities: list[object] | list[dict[str, object]], belongs: Callable[[Key], bool]) -> tuple[Row, ...]:
    """The rows of entities, each of which must be among those that were asked for.

    Raises:
        Unavailable: one is malformed, or belongs to another question.
    """
    try:
        rows = tuple(map(row_of, entities))
    except (ValueError, KeyError) as error:
        raise unexpected() from error
    if not all(belongs(row.key) for row in rows):
        raise unexpected()
    return rows


def _failed(operations: Sequence[Operation], failure: Failure) -> Operation | None:
    """The operation that failed, as far as it is known: an only insert is the only one that can find its key taken."""
    if failure.index is not None:
        return operations[failure.index]
    inserts = [operation for operation in operations if isinstance(operation, Insert)]
    return inserts[0] if len(inserts) == 1 else None


def _refusal(operation: Operation | None, status: int, code: str | None) -> Refusal:
    """An error of the store in our words. What it does not name has an unknown outcome."""
    match status:
        case 409 if code in _TAKEN and operation is not None:
            return RowExists(operation.key)
        case 412 if code in _CHANGED:
            return RowChanged()
        case 404 if code in _ABSENT:
            return RowChanged()
    return unexpected()
