"""requests_oauth2client: https://guillp.github.io/requests_oauth2client/."""

import os

from flask import Flask, redirect, request
from flask.typing import ResponseReturnValue
from requests_oauth2client import AuthorizationRequest, OAuth2Client

app = Flask(__name__)
asked: dict[str, AuthorizationRequest] = {}

# region sign-in
client = OAuth2Client.from_discovery_endpoint(
    issuer=os.environ["ISSUER"],
    client_id=os.environ["CLIENT_ID"],
    client_secret=os.environ["CLIENT_SECRET"],
    redirect_uri=os.environ["REDIRECT_URI"],
)


@app.get("/")
def login() -> ResponseReturnValue:
    az_request = client.authorization_request(scope="openid email profile")
    asked[az_request.state] = az_request  # an application keeps it in the session
    return redirect(str(az_request))


@app.get("/callback")
def callback() -> ResponseReturnValue:
    az_response = asked.pop(request.args["state"]).validate_callback(request.url)
    token = client.authorization_code(az_response)
    return f"Signed in as {token.id_token.email}"


# endregion
app.run(host="localhost", port=int(os.environ["PORT"]))
