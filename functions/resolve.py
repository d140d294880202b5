"""Resolve: an application asks how a person signs in. Every sign-in of every application calls it."""

from dataclasses import dataclass

from pydantic import RootModel

from functions.http.endpoint import Routes
from functions.http.json_text import validated
from functions.http.models import Document
from functions.http.parameters import UnreadBody
from functions.http.responses import Often, Ok, in_json
from functions.http.roles import KeyHolder
from shared.kernel.documents import Asked
from shared.kernel.encoding import flat_json
from shared.kernel.names import ClientId, EmailAddress
from shared.ports.telemetry import Event
from shared.resolution.decision import Method
from shared.resolution.leased_cache import Repetitions
from shared.resolution.resolver import Sso
from shared.services import Services


class ResolveBody(Asked):
    """The email of the person who signs in, and the application."""

    email: EmailAddress
    application: ClientId | None = None


class PasswordDocument(Document):
    """Ask for the vendor's password, as before. There is no reason, which would reveal who is known here."""

    method: Method = Method.PASSWORD


class SsoDocument(PasswordDocument):
    """Send the person to `signInUrl`. `tenantId` and `authority` are for applications that use MSAL themselves."""

    tenant_id: str
    authority: str
    sign_in_url: str


class ResolveDocument(RootModel[SsoDocument | PasswordDocument], defer_build=True):
    """The resolution: `sso` with the address, or `password`."""


@dataclass(frozen=True, slots=True)
class _Answer:
    """The response to a body, and what is reported each time that it is sent."""

    response: Ok[ResolveDocument]
    event: Event


def resolve_routes(services: Services) -> Routes:
    """The one endpoint for resolution."""
    routes, edge, resolver = Routes("resolve", services.edge), services.edge, services.resolution
    repetitions = Repetitions[_Answer]()

    @routes.post("/v1/resolve")
    async def resolve_email(_: KeyHolder, body: UnreadBody[ResolveBody]) -> Ok[ResolveDocument]:
        """Resolve how a person signs in."""
        answer = repetitions.find(body, edge.clock.monotonic()) or await answer_to(body)
        edge.telemetry.note(answer.event)
        return answer.response

    async def answer_to(body: bytes) -> _Answer:
        asked = validated(ResolveBody, body)
        resolution = await resolver.decide(asked.email, asked.application)
        document = _document(resolution.sso, resolver.sign_in_url(asked.email, asked.application))
        answer = _Answer(Often(document), resolution.event(asked.email, asked.application))
        repetitions.keep(body, answer, resolution.leases)
        return answer

    return routes


def _document(sso: Sso | None, sign_in_url: str) -> str:
    """The document in JSON. The one for SSO is written as its model would write it, in a tenth of the time."""
    if sso is None:
        return in_json(PasswordDocument())
    members = {
        "method": Method.SSO,
        "tenantId": sso.tenant_id,
        "authority": sso.authority,
        "signInUrl": sign_in_url,
    }
    return flat_json(members)
