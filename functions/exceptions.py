"""The exception list of an account: one entry at a time, many at once, and as a file."""

from typing import Annotated, Self

from azure.functions import HttpRequest
from pydantic import BeforeValidator, RootModel, StringConstraints, model_validator

from functions.http.endpoint import Routes
from functions.http.json_text import quick_json_value
from functions.http.models import Document, Moment
from functions.http.parameters import PAGE_PARAMETERS, Body, IfMatch, MergePatch, Path, Source
from functions.http.requests import (
    ARRAY_LIMIT,
    FILE_LIMIT,
    JSON,
    json_body,
    media_type,
    page_of,
    prefers,
    raw_body,
)
from functions.http.responses import Created, CsvFile, NoContent, Ok
from shared.access.roles import AccountAdministrator, AccountReader
from shared.kernel.documents import Asked
from shared.kernel.faults import MOST_FAULTS
from shared.kernel.names import EmailAddress, unpasted
from shared.kernel.refusals import TooLarge
from shared.ports.record import Stored
from shared.services import Services
from shared.users.exchange import (
    BadLine,
    Entries,
    ImportReport,
    import_entries,
    read_csv,
    read_entry,
    write_csv,
)
from shared.users.exemption import Exemption
from shared.users.terms import ExemptionDraft, ExemptionTerms
from shared.users.user_key import UserKey

_EXCEPTIONS = "/v1/accounts/{accountId}/exceptions"
_EXCEPTION = _EXCEPTIONS + "/{exceptionId}"
_CSV = "text/csv"
_EXCEL = "application/vnd.ms-excel"
"""The content type that Windows gives a CSV file where Excel is installed."""

_MOST_OBJECTS = 100_000
"""Objects and arrays in one JSON array. Each takes longer to parse than its text, and all are parsed in one step."""


class ExceptionDocument(Document):
    """One user who keeps the vendor's password. `inForce` is false once the exception has expired."""

    exception_id: str
    email: str
    reason: str
    expires_at: Moment | None
    in_force: bool
    created_at: Moment
    created_by: str
    updated_at: Moment


class AddedDocument(ExceptionDocument):
    """An exception that was just added. `warnings` list what its author should know."""

    warnings: tuple[str, ...]


class ExceptionsDocument(Document):
    """A page of the list. `continuationToken` gets the next page."""

    items: tuple[ExceptionDocument, ...]
    continuation_token: str | None = None


class ProblemLine(Document):
    """A message about a record, by its first line, or about an item of an array. Both are counted from 1."""

    line: int
    detail: str


class ImportDocument(Document):
    """The result of an import. `expired` entries had already ended, and were left out.

    `problems` list the refused entries with the reason, `warnings` are remarks on the others: the first 100 of each.
    """

    accepted: int
    refused: int
    expired: int
    problems: tuple[ProblemLine, ...]
    warnings: tuple[ProblemLine, ...]


class OneOrMany(RootModel[ExemptionDraft | list[ExemptionDraft]], defer_build=True):
    """One entry, or many at once."""


class SearchBody(Asked):
    """What to look for: one whole `email`, or a `text` that is a part of an address or of a reason."""

    email: EmailAddress | None = None
    text: Annotated[str, BeforeValidator(unpasted), StringConstraints(min_length=1, max_length=200)] | None = None

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if (self.email is None) == (self.text is None):
            raise ValueError("Send either 'email' or 'text'.")
        return self


def _posted(req: HttpRequest) -> ExemptionDraft | Entries | bytes:
    """Read one draft, a file, or many entries, each of which is checked only when it is stored."""
    if media_type(req) in {_CSV, _EXCEL}:
        return raw_body(req, _CSV, _EXCEL, limit=FILE_LIMIT)
    body = raw_body(req, JSON, _CSV, _EXCEL, limit=ARRAY_LIMIT)
    if body.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] != b"[":
        return json_body(req, ExemptionDraft)
    if body.count(b"{") + body.count(b"[") > _MOST_OBJECTS:
        raise TooLarge(f"The array may hold {_MOST_OBJECTS:,} objects at most. Send it in parts.")
    return _entries(quick_json_value(body))


def _page_unless_csv(req: HttpRequest) -> tuple[int, str | None] | None:
    """Read which page is requested; None means the whole list, as CSV."""
    return None if prefers(req, _CSV) else page_of(req)


type Posted = Annotated[
    ExemptionDraft | Entries | bytes, Source(read=_posted, media=(JSON,), raw_media=(_CSV, _EXCEL), model=OneOrMany)
]
type PageUnlessCsv = Annotated[tuple[int, str | None] | None, Source(read=_page_unless_csv, query=PAGE_PARAMETERS)]


def exception_routes(services: Services) -> Routes:
    """The endpoints for an account's exception list."""
    routes = Routes("exceptions", services.edge)
    exemptions = services.users.exemptions

    def document(exemption: Exemption) -> ExceptionDocument:
        in_force = exemption.in_force(services.edge.clock.now())
        return ExceptionDocument.model_validate({**exemption.model_dump(), "in_force": in_force})

    def versioned(stored: Stored[Exemption]) -> Ok[ExceptionDocument]:
        return Ok(document(stored.record), version=stored.version)

    def listed(found: tuple[Exemption, ...], continuation: str | None = None) -> Ok[ExceptionsDocument]:
        return Ok(ExceptionsDocument(items=tuple(map(document, found)), continuation_token=continuation))

    async def put_on_list(
        administrator: AccountAdministrator, posted: ExemptionDraft | Entries | bytes
    ) -> Created[AddedDocument] | Ok[ImportDocument]:
        if isinstance(posted, ExemptionDraft):
            added = await exemptions.add(administrator, posted)
            stored = added.stored
            path = f"/v1/accounts/{administrator.account_id}/exceptions/{stored.record.exception_id}"
            location = services.edge.public_url + path
            said = AddedDocument(**document(stored.record).model_dump(), warnings=added.warnings)
            return Created(said, version=stored.version, location=location)
        entries = await read_csv(posted) if isinstance(posted, bytes) else posted
        return _reported(await import_entries(exemptions, administrator, entries))

    async def find_in_list(reader: AccountReader, wanted: SearchBody) -> tuple[Exemption, ...]:
        if wanted.email is not None:
            return await exemptions.find(reader, wanted.email)
        return await exemptions.search(reader, wanted.text or "")

    async def show_list(reader: AccountReader, page: tuple[int, str | None] | None) -> Ok[ExceptionsDocument] | CsvFile:
        if page is None:
            await exemptions.must_exist(reader)
            return CsvFile(await write_csv(exemptions.all(reader)), "exceptions.csv")
        return listed(*await exemptions.page(reader, *page))

    @routes.post(_EXCEPTIONS)
    async def add_exceptions(
        administrator: AccountAdministrator, posted: Posted
    ) -> Created[AddedDocument] | Ok[ImportDocument]:
        """Put one user on the list, or many: a JSON array or a CSV file."""
        return await put_on_list(administrator, posted)

    @routes.get(_EXCEPTIONS)
    async def list_exceptions(reader: AccountReader, page: PageUnlessCsv) -> Ok[ExceptionsDocument] | CsvFile:
        """List the exceptions in pages, or export all of them with Accept: text/csv."""
        return await show_list(reader, page)

    @routes.post(_EXCEPTIONS + "/search")
    async def search_exceptions(reader: AccountReader, wanted: Body[SearchBody]) -> Ok[ExceptionsDocument]:
        """Look for one user on the list, or for all whose address or reason contains a text."""
        return listed(await find_in_list(reader, wanted))

    @routes.get(_EXCEPTION)
    async def get_exception(reader: AccountReader, exception_id: Path[UserKey]) -> Ok[ExceptionDocument]:
        """Read one entry."""
        return versioned(await exemptions.read(reader, exception_id))

    @routes.patch(_EXCEPTION)
    async def patch_exception(
        administrator: AccountAdministrator,
        exception_id: Path[UserKey],
        change: MergePatch[ExemptionTerms],
        expected: IfMatch,
    ) -> Ok[ExceptionDocument]:
        """Change the reason or the end of one entry."""
        return versioned(await exemptions.change(administrator, exception_id, expected, change))

    @routes.delete(_EXCEPTION)
    async def delete_exception(
        administrator: AccountAdministrator, exception_id: Path[UserKey], expected: IfMatch
    ) -> NoContent:
        """Take one user off the list."""
        await exemptions.remove(administrator, exception_id, expected)
        return NoContent()

    return routes


def _entries(items: object) -> Entries:
    for number, item in enumerate(items if isinstance(items, list) else (), start=1):
        yield (read_entry(number, item) if isinstance(item, dict) else BadLine(number, "It must be a JSON object."))


def _reported(report: ImportReport) -> Ok[ImportDocument]:
    return Ok(
        ImportDocument(
            accepted=report.accepted,
            refused=len(report.problems),
            expired=report.expired,
            problems=tuple(map(ProblemLine.model_validate, report.problems[:MOST_FAULTS])),
            warnings=tuple(map(ProblemLine.model_validate, report.warnings[:MOST_FAULTS])),
        )
    )
