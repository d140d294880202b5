"""Microsoft Graph: what it says of an organisation, read with a token of this service itself."""

import contextlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pydantic import Field, ValidationError

from shared.adapters.web import Web
from shared.kernel.documents import Foreign
from shared.kernel.encoding import from_base64url
from shared.kernel.names import DomainName, TenantId
from shared.kernel.refusals import Unavailable
from shared.ports.entra import GraphForbidden
from shared.ports.organizations import Guid, Organization, ServicePrincipal

_FORBIDDEN = 403


class _GraphDomain(Foreign):
    name: str


class _GraphOrganization(Foreign):
    id: TenantId
    display_name: str = Field(alias="displayName")
    verified_domains: tuple[_GraphDomain, ...] = Field(alias="verifiedDomains", min_length=1)
    """Every tenant has its initial domain: a list without any must not take all domains from an account."""


class _GraphOrganizations(Foreign):
    value: tuple[_GraphOrganization, ...] = Field(min_length=1, max_length=1)


class _AppOnlyToken(Foreign):
    """Claims of our own access token for Graph (https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference)."""

    oid: Guid
    appid: Guid


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """Reads organisations."""

    url: str
    """Graph's host."""
    web: Web
    """Asks it."""

    @property
    def scope(self) -> str:
        """Every permission that this service was given there."""
        return f"{self.url}/.default"

    async def read_organization(self, app_only_token: str) -> Organization:
        """The organisation in which the token was issued.

        Raises:
            GraphForbidden: the consent is too narrow, or gone.
            Unavailable: Graph does not respond in time, or not as documented.
        """
        status, document = await self.web.get_json(
            f"{self.url}/v1.0/organization?$select=id,displayName,verifiedDomains",
            headers={"Authorization": f"Bearer {app_only_token}"},
        )
        if status == _FORBIDDEN:
            raise GraphForbidden(
                "access_denied",
                None,
                "Microsoft Graph does not let this service read your organisation. "
                "Ask an administrator of your organisation to consent again.",
            )
        try:
            (organization,) = _GraphOrganizations.model_validate(document).value
        except ValidationError as error:
            raise Unavailable(
                "Microsoft Graph sent a response that this service cannot read. Try again in a few seconds."
            ) from error
        return Organization(
            tenant_id=organization.id,
            display_name=organization.display_name,
            verified_domains=tuple(_known_to_dns(domain.name for domain in organization.verified_domains)),
            service_principal=holder_of(app_only_token),
        )


def holder_of(app_only_token: str) -> ServicePrincipal | None:
    """Whose token it is. It is Graph's to verify, and what stands in it serves links alone: it proves nothing to us."""
    _, _, rest = app_only_token.partition(".")
    try:
        held = _AppOnlyToken.model_validate_json(from_base64url(rest.partition(".")[0]))
    except ValueError:  # pydantic's is one, too
        return None
    return ServicePrincipal(object_id=held.oid, app_id=held.appid)


def _known_to_dns(names: Iterable[str]) -> Iterator[DomainName]:
    """The names that are valid domains; no email address can have any other."""
    for name in names:
        with contextlib.suppress(ValueError):
            yield DomainName(name)
