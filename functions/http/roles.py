"""The roles that a signature may demand as its first parameter, and how a request proves each."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from azure.functions import AuthLevel, HttpRequest

from functions.http.authorization import unverified_token
from functions.http.requests import account_id
from shared.access.roles import (
    AccountAdministrator,
    AccountReader,
    Operator,
    as_administrator,
    as_operator,
    as_reader,
)
from shared.ports.access_tokens import AccessTokens


class Anybody:
    """A caller who need not prove anything."""


class KeyHolder:
    """An application that has sent a function key. Azure checks the key before it calls the function."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """The demand of a role on a request."""

    prove: Callable[[HttpRequest, AccessTokens], Awaitable[Any]]
    """Returns the role; raises `NotAuthenticated` or `Forbidden`."""
    level: AuthLevel = AuthLevel.ANONYMOUS
    """The key that Azure itself checks."""
    scheme: str | None = None
    """The security scheme of the OpenAPI document."""


async def _operator(req: HttpRequest, access_tokens: AccessTokens) -> Operator:
    return as_operator(await access_tokens.verify(unverified_token(req)))


async def _administrator(req: HttpRequest, access_tokens: AccessTokens) -> AccountAdministrator:
    access = await access_tokens.verify(unverified_token(req))
    return as_administrator(access, account_id(req))


async def _reader(req: HttpRequest, access_tokens: AccessTokens) -> AccountReader:
    access = await access_tokens.verify(unverified_token(req))
    return as_reader(access, account_id(req))


async def _key_holder(_req: HttpRequest, _access_tokens: AccessTokens) -> KeyHolder:
    return KeyHolder()


async def _anybody(_req: HttpRequest, _access_tokens: AccessTokens) -> Anybody:
    return Anybody()


CONTROL_PANEL = "controlPanel"
FUNCTION_KEY = "functionKey"

DEMANDS: Mapping[type, Demand] = {
    Operator: Demand(prove=_operator, scheme=CONTROL_PANEL),
    AccountAdministrator: Demand(prove=_administrator, scheme=CONTROL_PANEL),
    AccountReader: Demand(prove=_reader, scheme=CONTROL_PANEL),
    KeyHolder: Demand(prove=_key_holder, scheme=FUNCTION_KEY, level=AuthLevel.FUNCTION),
    Anybody: Demand(prove=_anybody),
}
"""Every role. An endpoint without a role is refused at start, so that none is open by mistake."""
