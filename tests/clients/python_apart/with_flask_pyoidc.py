"""Flask-pyoidc: https://flask-pyoidc.readthedocs.io."""

import os

from flask import Flask, session
from flask_pyoidc import OIDCAuthentication
from flask_pyoidc.provider_configuration import ClientMetadata, ProviderConfiguration
from flask_pyoidc.user_session import UserSession

# region sign-in
app = Flask(__name__)
app.config.update(OIDC_REDIRECT_URI=os.environ["REDIRECT_URI"], SECRET_KEY="not a secret")
client = ClientMetadata(client_id=os.environ["CLIENT_ID"], client_secret=os.environ["CLIENT_SECRET"])
auth = OIDCAuthentication(
    {
        "sso": ProviderConfiguration(
            issuer=os.environ["ISSUER"],
            client_metadata=client,
            auth_request_params={"scope": ["openid", "email", "profile"]},
        )
    },
    app,
)


@app.route("/")
@auth.oidc_auth("sso")
def index() -> str:
    return f"Signed in as {UserSession(session).userinfo['email']}"


# endregion
app.run(host="localhost", port=int(os.environ["PORT"]))
