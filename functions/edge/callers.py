"""Who calls: the bearer token of a request as a role (RFC 6750, section 2.1)."""

from dataclasses import dataclass

from azure.functions import HttpRequest

from functions.edge.requests import account_id
from shared.access.roles import AccountAdministrator, Operator, as_administrator, as_operator
from shared.kernel.refusals import TokenMissing
from shared.ports.access_tokens import AccessTokens


@dataclass(frozen=True, slots=True)
class Callers:
    """Turns a request's bearer token into the role that it proves.

    Args: `access_tokens`, which verifies what a request carries.
    """

    access_tokens: AccessTokens

    async def operator(self, req: HttpRequest) -> Operator:
        """The operator who calls.

        Raises:
            NotAuthenticated: no token, or one that does not hold.
            Forbidden: somebody else's.
        """
        return as_operator(await self.access_tokens.verify(unverified_token(req)))

    async def administrator(self, req: HttpRequest) -> AccountAdministrator:
        """The administrator of the account in the path who calls.

        Raises:
            NotAuthenticated: no token, or one that does not hold.
            Forbidden: somebody else's.
        """
        access = await self.access_tokens.verify(unverified_token(req))
        return as_administrator(access, account_id(req))


def unverified_token(req: HttpRequest) -> str:
    """The bearer token of the request, unchecked.

    Raises:
        TokenMissing: there is none.
    """
    scheme, _, token = str(req.headers.get("authorization", "")).partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise TokenMissing("Send an access token of the control panel as `Authorization: Bearer <token>`.")
    return token.strip()
