"""Authlib in Flask: https://docs.authlib.org/en/latest/client/flask.html."""

import os

from authlib.integrations.flask_client import OAuth
from flask import Flask
from flask.typing import ResponseReturnValue

app = Flask(__name__)
app.secret_key = "not a secret"

# region sign-in
oauth = OAuth(app)
oauth.register(
    name="sso",
    client_id=os.environ["CLIENT_ID"],
    client_secret=os.environ["CLIENT_SECRET"],
    server_metadata_url=os.environ["ISSUER"] + "/.well-known/openid-configuration",
    client_kwargs={"scope": "openid email profile"},
)


@app.get("/")
def login() -> ResponseReturnValue:
    return oauth.sso.authorize_redirect(os.environ["REDIRECT_URI"])


@app.get("/authorize")
def authorize() -> ResponseReturnValue:
    token = oauth.sso.authorize_access_token()
    return f"Signed in as {token['userinfo']['email']}"


# endregion
app.run(host="localhost", port=int(os.environ["PORT"]))
