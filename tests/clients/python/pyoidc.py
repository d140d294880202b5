"""pyoidc: https://pyoidc.readthedocs.io/en/latest/examples/rp.html."""

import os

from flask import Flask, redirect, request, session
from flask.typing import ResponseReturnValue
from oic import rndstr
from oic.oic import Client
from oic.oic.message import AuthorizationResponse, RegistrationResponse
from oic.utils.authn.client import CLIENT_AUTHN_METHOD

app = Flask(__name__)
app.secret_key = "not a secret"

# region sign-in
client = Client(client_authn_method=CLIENT_AUTHN_METHOD)
client.provider_config(os.environ["ISSUER"])
client.store_registration_info(
    RegistrationResponse(client_id=os.environ["CLIENT_ID"], client_secret=os.environ["CLIENT_SECRET"])
)


@app.get("/")
def login() -> ResponseReturnValue:
    session["state"], session["nonce"] = rndstr(), rndstr()
    asked = client.construct_AuthorizationRequest(
        request_args={
            "response_type": "code",
            "scope": ["openid", "email", "profile"],
            "redirect_uri": os.environ["REDIRECT_URI"],
            "state": session["state"],
            "nonce": session["nonce"],
        }
    )
    return redirect(asked.request(client.authorization_endpoint))


@app.get("/callback")
def callback() -> ResponseReturnValue:
    answer = client.parse_response(AuthorizationResponse, info=request.query_string.decode(), sformat="urlencoded")
    assert answer["state"] == session["state"]
    tokens = client.do_access_token_request(
        state=answer["state"],
        request_args={"code": answer["code"], "redirect_uri": os.environ["REDIRECT_URI"]},
        authn_method="client_secret_basic",
    )
    assert tokens["id_token"]["nonce"] == session["nonce"]
    return f"Signed in as {client.do_user_info_request(state=answer['state'])['email']}"


# endregion
app.run(host="localhost", port=int(os.environ["PORT"]))
