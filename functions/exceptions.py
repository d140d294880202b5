"""The exception list of an account: one entry at a time, many at once, and as a file."""

from collections.abc import Iterator

from azure.functions import HttpRequest, HttpResponse
from pydantic import RootModel

from functions.edge.answers import csv_file, document, no_content
from functions.edge.callers import Callers
from functions.edge.models import Document, Moment
from functions.edge.requests import (
    ARRAY_LIMIT,
    FILE_LIMIT,
    JSON,
    MERGE_PATCH,
    accepts,
    if_match,
    json_body,
    json_value,
    media_type,
    merge_patch,
    page_of,
    path_name,
    raw_body,
)
from functions.edge.routing import Routes
from shared.access.roles import AccountAdministrator
from shared.assembly import Services
from shared.kernel.documents import Asked
from shared.kernel.names import EmailAddress
from shared.ports.record import Stored
from shared.users.exchange import (
    BadLine,
    Entry,
    ImportReport,
    import_entries,
    read_csv,
    read_entry,
    write_csv,
)
from shared.users.exemptions import Exemption, ExemptionDraft, ExemptionTerms
from shared.users.user_key import UserKey

_EXCEPTIONS = "/v1/accounts/{accountId}/exceptions"
_EXCEPTION = _EXCEPTIONS + "/{exceptionId}"
_CSV = "text/csv"


class ExceptionDocument(Document):
    """One user who keeps the vendor's password; `inForce` says whether it still counts."""

    exception_id: str
    email: str
    reason: str
    expires_at: Moment | None
    in_force: bool
    created_at: Moment
    created_by: str
    updated_at: Moment


class ExceptionsDocument(Document):
    """A page of the list; `continuationToken` asks for the next one."""

    items: tuple[ExceptionDocument, ...]
    continuation_token: str | None = None


class ProblemLine(Document):
    """A line, or item of an array, that was refused, counted from 1."""

    line: int
    detail: str


class ImportDocument(Document):
    """What became of many entries at once."""

    accepted: int
    refused: int
    problems: tuple[ProblemLine, ...]


class OneOrMany(RootModel[ExemptionDraft | list[ExemptionDraft]], defer_build=True):
    """One entry, or many at once."""


class SearchBody(Asked):
    """Whom to look for."""

    email: EmailAddress


def exception_routes(services: Services) -> Routes:
    """The calls on an account's exception list."""
    routes = Routes("exceptions", services.edge.telemetry)
    callers = Callers(services.edge.access_tokens)
    exemptions = services.users.exemptions

    def told(exemption: Exemption) -> ExceptionDocument:
        in_force = exemption.in_force(services.edge.clock.now())
        return ExceptionDocument.model_validate({**exemption.model_dump(), "in_force": in_force})

    def answer(stored: Stored[Exemption], location: str | None = None) -> HttpResponse:
        return document(told(stored.record), status=201 if location else 200, version=stored.version, location=location)

    def listed(found: tuple[Exemption, ...], continuation: str | None = None) -> HttpResponse:
        return document(ExceptionsDocument(items=tuple(map(told, found)), continuation_token=continuation))

    async def put_on_list(administrator: AccountAdministrator, asked: ExemptionDraft | Iterator[Entry]) -> HttpResponse:
        if isinstance(asked, ExemptionDraft):
            stored = await exemptions.add(administrator, asked)
            path = f"/v1/accounts/{administrator.account_id}/exceptions/{stored.record.exception_id}"
            return answer(stored, services.edge.public_url + path)
        return _reported(await import_entries(exemptions, administrator, asked))

    async def show_list(administrator: AccountAdministrator, req: HttpRequest) -> HttpResponse:
        if accepts(req, _CSV):
            await exemptions.must_exist(administrator)
            return csv_file(await write_csv(exemptions.all(administrator)), "exceptions.csv")
        size, continuation = page_of(req)
        return listed(*await exemptions.page(administrator, size, continuation))

    @routes.add(
        "POST", _EXCEPTIONS, takes={JSON: OneOrMany, _CSV: None}, gives={201: ExceptionDocument, 200: ImportDocument}
    )
    async def add_exceptions(req: HttpRequest) -> HttpResponse:
        """Put one user on the list, or many: a JSON array or a CSV file."""
        administrator = await callers.administrator(req)
        return await put_on_list(administrator, _asked(req))

    @routes.add("GET", _EXCEPTIONS, gives={200: ExceptionsDocument}, parameters=("pageSize", "continuationToken"))
    async def list_exceptions(req: HttpRequest) -> HttpResponse:
        """Page through the list, or with Accept: text/csv export all of it."""
        administrator = await callers.administrator(req)
        return await show_list(administrator, req)

    @routes.add("POST", _EXCEPTIONS + "/search", takes={JSON: SearchBody}, gives={200: ExceptionsDocument})
    async def search_exceptions(req: HttpRequest) -> HttpResponse:
        """Look for one user on the list."""
        administrator = await callers.administrator(req)
        return listed(await exemptions.find(administrator, json_body(req, SearchBody).email))

    @routes.add("GET", _EXCEPTION, gives={200: ExceptionDocument})
    async def get_exception(req: HttpRequest) -> HttpResponse:
        """Read one entry."""
        administrator = await callers.administrator(req)
        return answer(await exemptions.read(administrator, path_name(req, "exceptionId", UserKey)))

    @routes.add(
        "PATCH",
        _EXCEPTION,
        takes={MERGE_PATCH: ExemptionTerms, JSON: ExemptionTerms},
        gives={200: ExceptionDocument},
        if_match="required",
    )
    async def patch_exception(req: HttpRequest) -> HttpResponse:
        """Change the reason or the end of one entry."""
        administrator = await callers.administrator(req)
        exemption_id = path_name(req, "exceptionId", UserKey)
        change = merge_patch(req, ExemptionTerms)
        return answer(await exemptions.change(administrator, exemption_id, if_match(req), change))

    @routes.add("DELETE", _EXCEPTION, gives={204: None}, if_match="required")
    async def delete_exception(req: HttpRequest) -> HttpResponse:
        """Take one user off the list."""
        administrator = await callers.administrator(req)
        await exemptions.remove(administrator, path_name(req, "exceptionId", UserKey), if_match(req))
        return no_content()

    return routes


def _asked(req: HttpRequest) -> ExemptionDraft | Iterator[Entry]:
    """One draft, or many entries that are read as they are stored."""
    if media_type(req) == _CSV:
        return read_csv(raw_body(req, _CSV, limit=FILE_LIMIT))
    body = raw_body(req, JSON, _CSV, limit=ARRAY_LIMIT)
    if body.lstrip()[:1] != b"[":
        return json_body(req, ExemptionDraft)
    return _entries(json_value(body))


def _entries(items: object) -> Iterator[Entry]:
    for number, item in enumerate(items if isinstance(items, list) else (), start=1):
        yield (read_entry(number, item) if isinstance(item, dict) else BadLine(number, "It must be a JSON object."))


def _reported(report: ImportReport) -> HttpResponse:
    problems = tuple(ProblemLine(line=problem.line, detail=problem.detail) for problem in report.problems)
    return document(ImportDocument(accepted=report.accepted, refused=len(problems), problems=problems))
