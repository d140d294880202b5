"""Sign-out: the browser's session ends, and the application is notified.

It calls the application's front-channel logout URL with `sid` (and without `iss`, as Entra does), and returns to the
application where that address is registered. Source:
https://learn.microsoft.com/en-us/entra/identity-platform/v2-protocols-oidc#send-a-sign-out-request
"""

from functools import partial
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from local.entra import pages, parameters
from local.entra.cloud import Cloud
from local.entra.refusals import Refusal
from local.entra.sign_in import Visit


def routes(cloud: Cloud) -> list[Route]:
    """The end_session_endpoint."""
    return [Route("/{tenant}/oauth2/v2.0/logout", partial(log_out, cloud))]


async def log_out(cloud: Cloud, request: Request) -> Response:
    """End the session and show the sign-out page."""
    try:
        cloud.tenant_at(request.path_params["tenant"])
        query = parameters.query(request)
        visit = await Visit.of(cloud, request)
    except Refusal as refusal:
        return pages.refused(refusal)
    frames = []
    if (session := visit.session) is not None:
        url = cloud.addresses.service + cloud.directory.application.front_channel_logout_path
        frames.append(f"{url}?{urlencode({'sid': session.sid})}")
        visit.end_session()
    onward = query.get("post_logout_redirect_uri")
    # An address that is not registered is ignored: the person stays on Entra's page.
    if onward not in cloud.redirect_uris:
        return visit.finish(pages.signed_out(frames, None))
    state = f"?{urlencode({'state': query['state']})}" if "state" in query else ""
    return visit.finish(pages.signed_out(frames, f"{onward}{state}"))
