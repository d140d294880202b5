"""The client of an authorization request, and where a response to it may go: known before anything else is read."""

from shared.applications.application import Application, find_application
from shared.kernel.addresses import is_registered
from shared.kernel.names import ClientId
from shared.kernel.refusals import Malformed
from shared.ports.table import RowReader
from shared.provider.errors import OAuthError
from shared.provider.parameters import Parameters, one


def client_id_of(parameters: Parameters) -> ClientId:
    """The client id in the request, still to be looked up.

    Raises:
        Malformed: it is missing, or is not a valid client id.
    """
    try:
        return ClientId.exact(one(parameters, "client_id") or "")
    except (ValueError, OAuthError):
        raise Malformed("The application's client_id is missing or malformed. Its developers must fix this.") from None


async def find_client(applications: RowReader, parameters: Parameters) -> tuple[Application, str]:
    """The client and its redirect URI: only now may a response be sent anywhere.

    Exactly this address must be registered for this client (RFC 9700, section 2.1), but for the port of a native one.

    Raises:
        Malformed: one is missing or repeated, or they are not known to belong together.
        Unavailable: the store does not respond.
    """
    application = await find_application(applications, client_id_of(parameters))
    if application is None:
        raise Malformed("The client_id of the application is not registered. Its developers must fix this.")
    addresses = parameters.get("redirect_uri", ())
    if len(addresses) != 1 or not is_registered(addresses[0], application.profile.redirect_uris):
        raise Malformed(
            "The application asked to return to an address that is not registered for it (redirect_uri). "
            "Its developers must fix this."
        )
    return application, addresses[0]
