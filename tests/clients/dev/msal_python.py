"""MSAL for Python: https://learn.microsoft.com/entra/msal/python/, with the authority of any OpenID provider."""

import os
from typing import Any

import msal
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

# region sign-in
app = msal.ConfidentialClientApplication(
    os.environ["CLIENT_ID"], client_credential=os.environ["CLIENT_SECRET"], oidc_authority=os.environ["ISSUER"] + "/."
)
flows: dict[str, Any] = {}


def login(request: Request) -> Response:
    flow = app.initiate_auth_code_flow(scopes=["email"], redirect_uri=os.environ["REDIRECT_URI"])
    flows[flow["state"]] = flow  # an application keeps it in the session
    return RedirectResponse(flow["auth_uri"])


def callback(request: Request) -> Response:
    answer = dict(request.query_params)
    result = app.acquire_token_by_auth_code_flow(flows.pop(answer["state"]), answer)
    return HTMLResponse(f"Signed in as {result['id_token_claims']['email']}")


# endregion
uvicorn.run(
    Starlette(routes=[Route("/", login), Route("/callback", callback)]),
    port=int(os.environ["PORT"]),
    log_level="warning",
)
