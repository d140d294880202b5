"""simple-openid-connect: https://simple-openid-connect.readthedocs.io."""

import os

from flask import Flask, redirect, request
from flask.typing import ResponseReturnValue
from simple_openid_connect.client import OpenidClient

app = Flask(__name__)

# region sign-in
client = OpenidClient.from_issuer_url(
    url=os.environ["ISSUER"],
    authentication_redirect_uri=os.environ["REDIRECT_URI"],
    client_id=os.environ["CLIENT_ID"],
    client_secret=os.environ["CLIENT_SECRET"],
    scope="openid email profile",
)


@app.get("/")
def login() -> ResponseReturnValue:
    return redirect(client.authorization_code_flow.start_authentication())


@app.get("/callback")
def callback() -> ResponseReturnValue:
    tokens = client.authorization_code_flow.handle_authentication_result(request.url)
    claims = client.decode_id_token(tokens.id_token)
    return f"Signed in as {claims.email}"


# endregion
app.run(host="localhost", port=int(os.environ["PORT"]))
