"""The register of applications, which the vendor's operators keep. An application is an OAuth 2.0 client of ours."""

import logging
from dataclasses import dataclass
from datetime import datetime

from shared.access.roles import Operator
from shared.kernel.names import ClientId, Product
from shared.kernel.refusals import NotFound, PreconditionRequired, Stale
from shared.kernel.versions import Expected, version_of
from shared.ports.clock import Clock
from shared.ports.record import Record, Stored
from shared.ports.table import Key, Remove, Row, RowExists, RowReader, Table

_PARTITION = "application"
_MOST = 1_000

_log = logging.getLogger(__name__)


class Application(Record):
    """One of the vendor's applications.

    `redirect_uris` are matched exactly (RFC 9700, section 2.1); `requires_product` names a product without which SSO
    does not work in it; `password_sign_in_uri` is where people go who stay on the vendor's password.
    """

    client_id: ClientId
    name: str
    redirect_uris: tuple[str, ...]
    sso_supported: bool
    requires_product: Product | None = None
    password_sign_in_uri: str | None = None
    created_at: datetime
    updated_at: datetime

    def serves(self, products: tuple[Product, ...]) -> bool:
        """Whether SSO works in this application for an account that has these products."""
        return self.sso_supported and (self.requires_product is None or self.requires_product in products)


@dataclass(frozen=True, slots=True)
class ApplicationProfile:
    """What an operator says of an application; see `Application`."""

    name: str
    redirect_uris: tuple[str, ...]
    sso_supported: bool
    requires_product: Product | None
    password_sign_in_uri: str | None


async def find_application(reader: RowReader, client_id: ClientId) -> Application | None:
    """The application: one point read."""
    row = await reader.get(_key(client_id))
    return Application.read(row) if row else None


class ApplicationRegister:
    """The vendor's applications. One that is not in it cannot ask anything.

    Args: `table`, the applications' table; `clock`.
    """

    def __init__(self, table: Table, clock: Clock) -> None:
        self._table = table
        self._clock = clock

    async def put(
        self, operator: Operator, client_id: ClientId, profile: ApplicationProfile, expected: Expected | None
    ) -> tuple[Stored[Application], bool]:
        """Register the application, or change what is said of it; the flag is True if it is new.

        Saying again what is said already changes nothing and needs no version, so a repeated PUT is safe.

        Raises:
            PreconditionRequired: it exists and differs, and the caller does not say which version they have seen.
            Stale: it is not the version that the caller has seen, or is gone, or somebody else was first.
        """
        now = self._clock.now()
        key = _key(client_id)
        row = await self._table.get(key)
        old = Application.read(row) if row else None
        if old is not None and row is not None:
            if _profile(old) == profile:
                return Stored(old, key, row), False
            if expected is None:
                raise PreconditionRequired(
                    "This application exists. To change it, send If-Match with the ETag you have read."
                )
            expected.must_allow(Stored(old, key, row).version)
        elif expected is not None:
            raise Stale("There is no such application any more. To register it, leave If-Match out.")
        application = Application(
            client_id=client_id,
            name=profile.name,
            redirect_uris=profile.redirect_uris,
            sso_supported=profile.sso_supported,
            requires_product=profile.requires_product,
            password_sign_in_uri=profile.password_sign_in_uri,
            created_at=old.created_at if old else now,
            updated_at=now,
        )
        stored = Stored(application, key, row)
        try:
            await self._table.write(stored.rewrite(application))
        except RowExists:
            return await self.put(operator, client_id, profile, expected)  # somebody was first, perhaps we ourselves
        _log.info("application.put application=%s by=%s", client_id, operator.actor.subject)
        return stored.then(application), old is None

    async def read(self, client_id: ClientId) -> Stored[Application]:
        """What is said of the application.

        Raises:
            NotFound: it is not registered.
        """
        row = await self._row(client_id)
        return Stored(Application.read(row), row.key, row)

    async def all(self) -> tuple[Application, ...]:
        """Every application, by client id. A vendor has a few; a thousand are read at most."""
        page = await self._table.page(_PARTITION, "", _MOST, None)
        return tuple(Application.read(row) for row in page.rows)

    async def remove(self, operator: Operator, client_id: ClientId, expected: Expected) -> None:
        """Remove the application: resolving for it is refused from then on.

        Raises:
            NotFound: it is not registered.
            Stale: it is not the version that the caller has seen.
        """
        row = await self._row(client_id)
        expected.must_allow(version_of(row.document))
        await self._table.write(Remove(row))
        _log.info("application.removed application=%s by=%s", client_id, operator.actor.subject)

    async def _row(self, client_id: ClientId) -> Row:
        row = await self._table.get(_key(client_id))
        if row is None:
            raise NotFound(
                "There is no such application. An Operator registers it with PUT /v1/applications/{clientId}."
            )
        return row


def _key(client_id: ClientId) -> Key:
    return Key(_PARTITION, client_id)


def _profile(application: Application) -> ApplicationProfile:
    return ApplicationProfile(
        application.name,
        application.redirect_uris,
        application.sso_supported,
        application.requires_product,
        application.password_sign_in_uri,
    )
