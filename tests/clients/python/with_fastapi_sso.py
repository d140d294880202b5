"""fastapi-sso with any provider: https://tomasvotava.github.io/fastapi-sso/how-to-guides/generic/ and its like."""

import os

import httpx
import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, Response
from fastapi_sso.sso.base import OpenID
from fastapi_sso.sso.generic import create_provider

app = FastAPI()

# region sign-in
metadata = httpx.get(os.environ["ISSUER"] + "/.well-known/openid-configuration").json()
SSO = create_provider(
    name="sso",
    discovery_document=metadata,
    default_scope=["openid", "email", "profile"],
    response_convertor=lambda user, _: OpenID(id=user["sub"], email=user["email"], display_name=user["name"]),
)
SSO.uses_pkce = "WITH_SETTING" in os.environ
sso = SSO(os.environ["CLIENT_ID"], os.environ["CLIENT_SECRET"], os.environ["REDIRECT_URI"], allow_insecure_http=True)


@app.get("/")
async def login() -> Response:
    async with sso:
        return await sso.get_login_redirect()


@app.get("/callback", response_class=HTMLResponse)
async def callback(request: Request) -> str:
    async with sso:
        user = await sso.verify_and_process(request)
    return f"Signed in as {user.email}"


# endregion
uvicorn.run(app, port=int(os.environ["PORT"]), log_level="warning")
