"""idpyoidc: https://idpy-oidc.readthedocs.io/en/latest/client/index.html."""

import os

from flask import Flask, redirect, request
from flask.typing import ResponseReturnValue
from idpyoidc.client.rp_handler import RPHandler

app = Flask(__name__)

# region sign-in
handler = RPHandler(
    base_url=os.environ["REDIRECT_URI"].removesuffix("/callback"),
    client_configs={
        "sso": {
            "client_type": "oidc",
            "issuer": os.environ["ISSUER"],
            "client_id": os.environ["CLIENT_ID"],
            "client_secret": os.environ["CLIENT_SECRET"],
            "redirect_uris": [os.environ["REDIRECT_URI"]],
            "response_types_supported": ["code"],
            "scopes_supported": ["openid", "email", "profile"],
        }
    },
)


@app.get("/")
def login() -> ResponseReturnValue:
    return redirect(handler.begin("sso"))


@app.get("/callback")
def callback() -> ResponseReturnValue:
    issuer = handler.state2issuer(request.args["state"])
    result = handler.finalize(issuer, request.args.to_dict())
    return f"Signed in as {result['userinfo']['email']}"


# endregion
app.run(host="localhost", port=int(os.environ["PORT"]))
