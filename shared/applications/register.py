"""The register of applications, which the vendor's operators keep. An application is an OAuth 2.0 client of ours."""

import logging
from dataclasses import dataclass
from datetime import timedelta

from shared.access.roles import AccountReader, Operator
from shared.applications.application import (
    BY_SECRET,
    PARTITION,
    Application,
    ApplicationChanged,
    ApplicationProfile,
    ApplicationRegistered,
    ApplicationRemoved,
    ApplicationSecretRenewed,
    application_key,
)
from shared.applications.secrets import hash_secret, new_secret
from shared.kernel.names import ClientId
from shared.kernel.refusals import Conflict, NotFound, PreconditionRequired, Stale
from shared.kernel.versions import Expected, version_of
from shared.ports.clock import Clock
from shared.ports.record import Stored
from shared.ports.table import Remove, Row, RowExists, Table
from shared.trail.events import Event
from shared.trail.persons import Persons
from shared.trail.trail import ShownRecord, Trail

_BESIDE = "~"
"""How the row keys of trails and their persons start: no client id does, so that all can share one partition."""
_TRAIL = "~audit:"
_MOST = 1_000

DEFAULT_OVERLAP = timedelta(hours=24)
"""How long a client secret stays valid after it was renewed, unless the caller says otherwise."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationRegister:
    """The vendor's applications. An application that is not registered cannot call the service."""

    table: Table
    """The applications' table."""
    clock: Clock
    """Dates the records."""

    async def put(
        self, operator: Operator, client_id: ClientId, profile: ApplicationProfile, expected: Expected | None
    ) -> tuple[Stored[Application], bool]:
        """Register the application, or change its entry; the flag is True if it is new.

        A profile without code binding or audience keeps that of the application; a new one gets the default.
        Repeating the current values changes nothing and needs no version, so a repeated PUT is safe.

        Raises:
            PreconditionRequired: it exists and differs, and the caller names no version that they have seen.
            Stale: it is not the version that the caller has seen, or no longer exists, or another writer was first.
        """
        now = self.clock.now()
        key = application_key(client_id)
        row = await self.table.get(key)
        profile = profile.completed_by(Application.read(row).profile if row else None)
        application = Application(client_id=client_id, profile=profile, created_at=now, updated_at=now)
        event: Event = ApplicationRegistered(profile=profile)
        if row is not None:
            old = Application.read(row)
            if old.profile.document() == profile.document():
                return Stored(old, key, row), False
            if expected is None:
                raise PreconditionRequired(
                    "This application already exists. To change it, send If-Match with the ETag that you read."
                )
            expected.must_allow(version_of(row.document))
            kept = {} if profile.token_endpoint_auth_method in BY_SECRET else {"secret": None, "superseded": ()}
            application = old.model_copy(update={"profile": profile, "updated_at": now, **kept})
            event = ApplicationChanged(before=old.profile, after=profile)
        elif expected is not None:
            raise Stale("This application no longer exists. To register it again, send no If-Match.")
        stored = Stored(application, key, row)
        try:
            await self._trail(client_id).commit(operator.actor, event, stored.rewrite(application))
        except RowExists:
            return await self.put(operator, client_id, profile, expected)  # another caller was first
        _log.info(
            "application.put application=%s by=%r code_binding=%s", client_id, operator.actor.subject, profile.binding
        )
        return stored.then(application), row is None

    async def read(self, _operator: Operator, client_id: ClientId) -> Stored[Application]:
        """The application's entry in the register.

        Raises:
            NotFound: it is not registered.
        """
        row = await self._row(client_id)
        return Stored(Application.read(row), row.key, row)

    async def all(self, _reader: Operator | AccountReader) -> tuple[Application, ...]:
        """Every application, by client id. A vendor has a few. Their trails come after them, and are not read."""
        rows: list[Row] = []
        continuation = None
        while True:
            page = await self.table.page(PARTITION, "", _MOST, continuation)
            own = [row for row in page.rows if not row.key.row.startswith(_BESIDE)]
            rows += own
            continuation = page.continuation
            if continuation is None or len(own) < len(page.rows):
                break
        return tuple(Application.read(row) for row in sorted(rows, key=lambda row: row.key.row))

    async def renew_secret(
        self, operator: Operator, client_id: ClientId, expected: Expected, overlap: timedelta = DEFAULT_OVERLAP
    ) -> str:
        """Give the application a new client secret, returned only once.

        Args:
            operator: the operator who renews it.
            client_id: the application.
            expected: the versions that the caller has seen.
            overlap: how long the previous secret stays valid; 0 ends all previous ones at once.

        Raises:
            NotFound: it is not registered.
            Conflict: it does not authenticate by a secret.
            Stale: it is not the version that the caller has seen, or another writer was first.
        """
        stored = await self.read(operator, client_id)
        expected.must_allow(stored.version)
        if stored.record.profile.token_endpoint_auth_method not in BY_SECRET:
            raise Conflict("This application does not authenticate with a secret. See its tokenEndpointAuthMethod.")
        secret = new_secret()
        renewed = stored.record.renewed(await hash_secret(secret), overlap, self.clock.now())
        await self._trail(client_id).commit(operator.actor, ApplicationSecretRenewed(), stored.rewrite(renewed))
        _log.info("application.secret_renewed application=%s by=%r", client_id, operator.actor.subject)
        return secret

    async def remove(self, operator: Operator, client_id: ClientId, expected: Expected) -> None:
        """Remove the application: the service refuses to resolve for it from then on.

        Raises:
            NotFound: it is not registered.
            Stale: it is not the version that the caller has seen.
        """
        row = await self._row(client_id)
        expected.must_allow(version_of(row.document))
        await self._trail(client_id).commit(operator.actor, ApplicationRemoved(), Remove(row))
        _log.info("application.removed application=%s by=%r", client_id, operator.actor.subject)

    async def page(
        self, _operator: Operator, client_id: ClientId, size: int, continuation: str | None
    ) -> tuple[tuple[ShownRecord, ...], str | None]:
        """At most `size` records of the application's trail, the newest first, and the continuation for the next ones.

        The trail of a removed application is kept, and continues if it is registered again.

        Raises:
            NotFound: there is no trail, and no such application.
            Invalid: the service did not issue this continuation.
        """
        records, following = await self._trail(client_id).page(size, continuation)
        if not records:
            await self._row(client_id)  # it may have been registered before applications had trails
        return records, following

    async def trails(self) -> tuple[Trail, ...]:
        """The trail of every application, also of those that were removed."""
        events = [row.key.row for row in await self.trail_rows() if row.key.row.startswith(_TRAIL)]
        clients = dict.fromkeys(name.removeprefix(_TRAIL).partition(":")[0] for name in events)
        return tuple(self._trail(ClientId(each)) for each in clients)

    async def trail_rows(self) -> list[Row]:
        """Every row of the trails and of their persons. A vendor has a few applications, which change seldom."""
        rows: list[Row] = []
        continuation = None
        while True:
            page = await self.table.page(PARTITION, _BESIDE, _MOST, continuation)
            rows += page.rows
            continuation = page.continuation
            if continuation is None:
                return rows

    def persons(self) -> Persons:
        """The persons whom the trails name."""
        return Persons(table=self.table, partition=PARTITION, family=_BESIDE)

    def _trail(self, client_id: ClientId) -> Trail:
        return Trail(
            table=self.table,
            clock=self.clock,
            partition=PARTITION,
            prefix=f"{_TRAIL}{client_id}:",
            persons=self.persons(),
        )

    async def _row(self, client_id: ClientId) -> Row:
        row = await self.table.get(application_key(client_id))
        if row is None:
            raise NotFound(
                "This application does not exist. An Operator can register it with PUT /v1/applications/{clientId}."
            )
        return row
