"""People: a Security Manager erases one who has asked for it, or has left."""

from typing import Annotated

from pydantic import BeforeValidator, StringConstraints

from functions.http.endpoint import Routes
from functions.http.models import Document
from functions.http.parameters import Body
from functions.http.responses import Ok
from shared.access.roles import AccountAdministrator
from shared.kernel.documents import Asked
from shared.kernel.names import EmailAddress, unpasted
from shared.services import Services


class ErasureBody(Asked):
    """The person to erase. `subject` is the `sub` by which the control panel knows them, if they administer SSO."""

    email: EmailAddress
    subject: Annotated[str, BeforeValidator(unpasted), StringConstraints(min_length=1, max_length=255)] | None = None


class ErasedDocument(Document):
    """What was removed. `references` name the person in the trail, and stand for nobody from now on.

    Of somebody who is unknown, or was erased before, there is nothing to remove.
    """

    exceptions: int
    links: int
    sessions: int
    references: tuple[str, ...]


def people_routes(services: Services) -> Routes:
    """The endpoint for an account's people."""
    routes = Routes("people", services.edge)

    @routes.post("/v1/accounts/{accountId}/people/erase")
    async def erase_person(administrator: AccountAdministrator, person: Body[ErasureBody]) -> Ok[ErasedDocument]:
        """Erase a person: their exception, the links of their identity, their sessions, and who they are in the trail.

        Safe to repeat. It cannot be undone.
        """
        erased = await services.privacy.erasure.erase(administrator, person.email, person.subject)
        return Ok(ErasedDocument.model_validate(erased))

    return routes
