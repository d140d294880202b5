"""Dialects: how a refusal or an internal error is worded, to a program of ours, to an OAuth client, and to a person.

Each is a module, and an endpoint has one of them. What stands here is the response to an internal error where that
module or the endpoint is not there: something that they need is missing from a deployment, a part of the product cannot
be made, or a page cannot be rendered. So it needs nothing but Azure's library, and is imported at start.
"""

import json
from collections.abc import Callable, Mapping
from html import escape
from typing import Final

from azure.functions import HttpResponse

from functions.http.refusals import EXPOSED
from shared.ports.telemetry import Event, EventName

FAILED: Final = Event(EventName.REFUSAL, "500", "internal")
"""An internal error, for the counters; the log has its type and place."""

TYPE_PREFIX: Final = "urn:azure-sso:problem:"
"""How the types of problem documents begin."""

INTERNAL: Final = TYPE_PREFIX + "internal"
"""The type of an internal error, which is no refusal."""

_UNSAVED: Final = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
_ALONE: Final = {
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
}

_PAGE: Final = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Something went wrong</title>
<main>
<h1>Something went wrong</h1>
<p>This is an error in the service. Try again later. If it happens again, give support the reference below.</p>
<p><small>Reference for support: <code>id {id}</code></small></p>
</main>
</html>
"""


def problem(invocation_id: str) -> HttpResponse:
    """A problem document (RFC 9457)."""
    document = {
        "type": INTERNAL,
        "title": "Something went wrong",
        "status": 500,
        "detail": "This is an error in the service. Give its operators the id in `instance`.",
        "instance": f"urn:uuid:{invocation_id}",
    }
    return HttpResponse(
        json.dumps(document),
        status_code=500,
        mimetype="application/problem+json",
        headers={"Cache-Control": "no-store", **EXPOSED},
    )


def oauth_error(invocation_id: str) -> HttpResponse:
    """An OAuth error response (RFC 6749, section 5.2). The id goes in a header, since OAuth has no field for it."""
    document = {"error": "server_error", "error_description": "This is an error in the service. Try again later."}
    return HttpResponse(
        json.dumps(document),
        status_code=500,
        mimetype="application/json",
        headers={**_UNSAVED, "Pragma": "no-cache", "X-Request-Id": invocation_id},
    )


def page(invocation_id: str) -> HttpResponse:
    """A plain page, without the vendor's name and colour."""
    html = _PAGE.format(id=escape(invocation_id))
    return HttpResponse(html, status_code=500, mimetype="text/html", headers={**_UNSAVED, **_ALONE})


FAILURES: Final[Mapping[str, Callable[[str], HttpResponse]]] = {
    "Problem": problem,
    "OAuthError": oauth_error,
    "Page": page,
}
"""The response of each dialect, by the dialect's name."""
