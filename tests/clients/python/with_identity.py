"""Microsoft's identity library for Flask: https://identity-library.readthedocs.io. It stands on MSAL for Python."""

import os
from typing import Any

from flask import Flask
from identity.flask import Auth

app = Flask(__name__)
app.config.update(SECRET_KEY="not a secret", SESSION_TYPE="filesystem", SESSION_FILE_DIR=os.environ["SCRATCH"])

# region sign-in
auth = Auth(
    app,
    client_id=os.environ["CLIENT_ID"],
    client_credential=os.environ["CLIENT_SECRET"],
    redirect_uri=os.environ["REDIRECT_URI"],
    oidc_authority=os.environ["ISSUER"] + "/.",
)


@app.get("/")
@auth.login_required(scopes=["email"])
def index(*, context: dict[str, Any]) -> str:
    return f"Signed in as {context['user']['email']}"


# endregion
app.run(host="localhost", port=int(os.environ["PORT"]))
