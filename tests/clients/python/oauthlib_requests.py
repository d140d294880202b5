"""oauthlib by requests-oauthlib: https://requests-oauthlib.readthedocs.io/en/latest/oauth2_workflow.html."""

import os

import requests
from flask import Flask, redirect, request
from flask.typing import ResponseReturnValue
from requests_oauthlib import OAuth2Session

app = Flask(__name__)
os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"  # the application itself is on http://localhost here

# region sign-in
metadata = requests.get(os.environ["ISSUER"] + "/.well-known/openid-configuration", timeout=10).json()
oauth = OAuth2Session(
    os.environ["CLIENT_ID"],
    redirect_uri=os.environ["REDIRECT_URI"],
    scope=["openid", "email", "profile"],
    pkce="S256" if "WITH_SETTING" in os.environ else None,
)


@app.get("/")
def login() -> ResponseReturnValue:
    url, _ = oauth.authorization_url(metadata["authorization_endpoint"])
    return redirect(url)


@app.get("/callback")
def callback() -> ResponseReturnValue:
    oauth.fetch_token(
        metadata["token_endpoint"], client_secret=os.environ["CLIENT_SECRET"], authorization_response=request.url
    )
    return f"Signed in as {oauth.get(metadata['userinfo_endpoint']).json()['email']}"


# endregion
app.run(host="localhost", port=int(os.environ["PORT"]))
