"""Authlib in Starlette: https://docs.authlib.org/en/latest/client/starlette.html."""

import os

import uvicorn
from authlib.integrations.starlette_client import OAuth
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

# region sign-in
oauth = OAuth()
oauth.register(
    name="sso",
    client_id=os.environ["CLIENT_ID"],
    client_secret=os.environ["CLIENT_SECRET"],
    server_metadata_url=os.environ["ISSUER"] + "/.well-known/openid-configuration",
    client_kwargs={"scope": "openid email profile"},
)


async def login(request: Request) -> Response:
    return await oauth.sso.authorize_redirect(request, os.environ["REDIRECT_URI"])


async def auth(request: Request) -> Response:
    token = await oauth.sso.authorize_access_token(request)
    return HTMLResponse(f"Signed in as {token['userinfo']['email']}")


# endregion
routes = [Route("/", login), Route("/auth", auth)]
app = Starlette(routes=routes, middleware=[Middleware(SessionMiddleware, secret_key="not a secret")])
uvicorn.run(app, port=int(os.environ["PORT"]), log_level="warning")
