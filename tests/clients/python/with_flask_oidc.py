"""flask-oidc: https://flask-oidc.readthedocs.io."""

import os

from flask import Flask
from flask_oidc import OpenIDConnect

# region sign-in
app = Flask(__name__)
app.config["OIDC_CLIENT_SECRETS"] = {
    "web": {
        "client_id": os.environ["CLIENT_ID"],
        "client_secret": os.environ["CLIENT_SECRET"],
        "issuer": os.environ["ISSUER"],
    }
}
app.secret_key = "not a secret"
oidc = OpenIDConnect(app)


@app.route("/")
@oidc.require_login
def index() -> str:
    return f"Signed in as {oidc.user_getfield('email')}"


# endregion
app.run(host="localhost", port=int(os.environ["PORT"]))
