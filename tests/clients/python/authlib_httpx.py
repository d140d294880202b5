"""Authlib's session for httpx, by hand: https://docs.authlib.org/en/latest/client/httpx.html."""

import os

import httpx
from authlib.integrations.httpx_client import OAuth2Client
from flask import Flask, redirect, request, session
from flask.typing import ResponseReturnValue

app = Flask(__name__)
app.secret_key = "not a secret"

# region sign-in
metadata = httpx.get(os.environ["ISSUER"] + "/.well-known/openid-configuration").json()
client = OAuth2Client(
    os.environ["CLIENT_ID"],
    os.environ["CLIENT_SECRET"],
    scope="openid email profile",
    redirect_uri=os.environ["REDIRECT_URI"],
)


@app.get("/")
def login() -> ResponseReturnValue:
    url, session["state"] = client.create_authorization_url(metadata["authorization_endpoint"])
    return redirect(url)


@app.get("/callback")
def callback() -> ResponseReturnValue:
    client.fetch_token(metadata["token_endpoint"], authorization_response=request.url, state=session["state"])
    return f"Signed in as {client.get(metadata['userinfo_endpoint']).json()['email']}"


# endregion
app.run(host="localhost", port=int(os.environ["PORT"]))
