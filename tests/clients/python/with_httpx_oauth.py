"""httpx-oauth: https://frankie567.github.io/httpx-oauth/oauth2/."""

import asyncio
import os

from flask import Flask, redirect, request, session
from flask.typing import ResponseReturnValue
from httpx_oauth.clients.openid import OpenID

app = Flask(__name__)
app.secret_key = "not a secret"

# region sign-in
client = OpenID(
    os.environ["CLIENT_ID"], os.environ["CLIENT_SECRET"], os.environ["ISSUER"] + "/.well-known/openid-configuration"
)


@app.get("/")
def login() -> ResponseReturnValue:
    session["state"] = os.urandom(16).hex()
    return redirect(asyncio.run(client.get_authorization_url(os.environ["REDIRECT_URI"], state=session["state"])))


@app.get("/callback")
def callback() -> ResponseReturnValue:
    assert request.args["state"] == session["state"]
    token = asyncio.run(client.get_access_token(request.args["code"], os.environ["REDIRECT_URI"]))
    identity, email = asyncio.run(client.get_id_email(token["access_token"]))
    return f"Signed in as {email} ({identity})"


# endregion
app.run(host="localhost", port=int(os.environ["PORT"]))
