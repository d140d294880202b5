"""The roles that a signature may demand as its first parameter, and how a request proves each."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from azure.functions import AuthLevel, HttpRequest

from functions.http.authorization import authorization, unverified_token
from functions.http.requests import account_id
from shared.access.roles import (
    AccountAdministrator,
    AccountReader,
    Operator,
    PortalHost,
    PortalVisitor,
    as_administrator,
    as_operator,
    as_portal_host,
    as_reader,
    as_visitor,
)
from shared.edge_ports import EdgePorts
from shared.kernel.refusals import NotAuthenticated
from shared.ports.access_tokens import VerifiedAccess


class Anybody:
    """A caller who need not prove anything."""


class KeyHolder:
    """An application that has sent a function key. Azure checks the key before it calls the function."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """The demand of a role on a request."""

    prove: Callable[[HttpRequest, EdgePorts], Awaitable[Any]]
    """Returns the role; raises `NotAuthenticated` or `Forbidden`."""
    level: AuthLevel = AuthLevel.ANONYMOUS
    """The key that Azure itself checks."""
    scheme: str | None = None
    """The security scheme of the OpenAPI document."""


async def _operator(req: HttpRequest, edge: EdgePorts) -> Operator:
    return as_operator(await _by_token(req, edge))


async def _administrator(req: HttpRequest, edge: EdgePorts) -> AccountAdministrator:
    access = await _by_token_or_session(req, edge)
    return as_administrator(access, account_id(req))


async def _reader(req: HttpRequest, edge: EdgePorts) -> AccountReader:
    access = await _by_token_or_session(req, edge)
    return as_reader(access, account_id(req))


async def _portal_host(req: HttpRequest, edge: EdgePorts) -> PortalHost:
    access = await _by_token(req, edge)
    return as_portal_host(access, account_id(req))


async def _portal_visitor(req: HttpRequest, edge: EdgePorts) -> PortalVisitor:
    """By the cookie alone: what changes something, which is to sign out, needs the token, too, and reading gives it."""
    from functions.http import portal_requests

    secret = portal_requests.unverified_secret(req, edge.cookie_prefix)
    if secret is None:
        raise NotAuthenticated("You have no session in the portal. Open it from the control panel.")
    portal_requests.must_be_of_this_origin(req)
    if req.method not in _SAFE:
        portal_requests.must_carry_token(req, secret)
    account = account_id(req)
    return as_visitor(await edge.portal_access.verify(account, secret), account)


async def _by_token(req: HttpRequest, edge: EdgePorts) -> VerifiedAccess:
    return await edge.access_tokens.verify(unverified_token(req))


async def _by_token_or_session(req: HttpRequest, edge: EdgePorts) -> VerifiedAccess:
    """By the bearer token, or without one by a session of the portal, whose page must have sent the request."""
    if authorization(req) is not None or "cookie" not in req.headers:
        return await _by_token(req, edge)
    from functions.http import portal_requests

    secret = portal_requests.unverified_secret(req, edge.cookie_prefix)
    if secret is None:
        return await _by_token(req, edge)
    portal_requests.must_be_of_this_origin(req)
    portal_requests.must_carry_token(req, secret)
    return (await edge.portal_access.verify(account_id(req), secret)).access


async def _key_holder(_req: HttpRequest, _edge: EdgePorts) -> KeyHolder:
    return KeyHolder()


async def _anybody(_req: HttpRequest, _edge: EdgePorts) -> Anybody:
    return Anybody()


CONTROL_PANEL = "controlPanel"
FUNCTION_KEY = "functionKey"
PORTAL = "portal"

_SAFE = {"GET", "HEAD"}

DEMANDS: Mapping[type, Demand] = {
    Operator: Demand(prove=_operator, scheme=CONTROL_PANEL),
    AccountAdministrator: Demand(prove=_administrator, scheme=CONTROL_PANEL),
    AccountReader: Demand(prove=_reader, scheme=CONTROL_PANEL),
    PortalHost: Demand(prove=_portal_host, scheme=CONTROL_PANEL),
    PortalVisitor: Demand(prove=_portal_visitor, scheme=PORTAL),
    KeyHolder: Demand(prove=_key_holder, scheme=FUNCTION_KEY, level=AuthLevel.FUNCTION),
    Anybody: Demand(prove=_anybody),
}
"""Every role. An endpoint without a role is refused at start, so that none is open by mistake."""
