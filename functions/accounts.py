"""Accounts: the vendor's operators register its customers here."""

from typing import Annotated

from pydantic import BeforeValidator, Field, StringConstraints

from functions.http.endpoint import Routes
from functions.http.models import Document, Moment
from functions.http.parameters import Body, IfMatch, OptionalIfMatch, Path
from functions.http.responses import NoContent, Ok, Put, put
from shared.access.roles import Operator
from shared.accounts.register import Profile
from shared.kernel.documents import Asked
from shared.kernel.names import AccountId, DomainName, Product, unpasted
from shared.services import Services

_ACCOUNT = "/v1/accounts/{accountId}"

Title = Annotated[str, BeforeValidator(unpasted), StringConstraints(min_length=1, max_length=200)]


class AccountBody(Asked):
    """The fields of an account that an operator sets."""

    name: Title
    products: Annotated[tuple[Product, ...], Field(max_length=100)] = ()
    domains: Annotated[tuple[DomainName, ...], Field(max_length=5_000)] | None = None

    def profile(self) -> Profile:
        """Return the body as an account's profile."""
        return Profile(self.name, self.products, self.domains)


class AccountDocument(Document):
    """An account."""

    account_id: AccountId
    name: str
    products: tuple[str, ...]
    domains: tuple[str, ...] | None
    created_at: Moment
    updated_at: Moment


def account_routes(services: Services) -> Routes:
    """The endpoints for accounts."""
    routes = Routes("accounts", services.edge)

    @routes.put(_ACCOUNT)
    async def put_account(
        operator: Operator, account: Body[AccountBody], account_id: Path[AccountId], expected: OptionalIfMatch
    ) -> Put[AccountDocument]:
        """Register an account, or update it."""
        stored, created = await services.accounts.register.put(operator, account_id, account.profile(), expected)
        return put(AccountDocument.model_validate(stored.record), stored.version, created=created)

    @routes.get(_ACCOUNT)
    async def get_account(operator: Operator, account_id: Path[AccountId]) -> Ok[AccountDocument]:
        """Read an account."""
        stored = await services.accounts.register.read(operator, account_id)
        return Ok(AccountDocument.model_validate(stored.record), version=stored.version)

    @routes.delete(_ACCOUNT)
    async def delete_account(operator: Operator, account_id: Path[AccountId], expected: IfMatch) -> NoContent:
        """Disconnect an account and remove everything that belongs to it."""
        await services.connection.disconnection.close(operator, account_id, expected)
        return NoContent()

    return routes
