"""The demo's customer and the vendor's four applications, and how the vendor registers them.

Contoso has not bought Unite, and Contact Center needs it: so there is one application that is not ready for
SSO.
"""

from collections.abc import Mapping
from typing import Final

import httpx

from local.processes import ROOT, StackError
from local.stack import Stack

ACCOUNT_ID: Final = "contoso"
PRODUCTS: Final = ["AnyMeeting", "SecuriSync"]
ACCOUNT: Final[Mapping[str, object]] = {"name": "Contoso", "products": PRODUCTS}
SECURITY_MANAGER: Final = "sam"
OPERATOR: Final = "olga"
TENANT_ADMIN: Final = "ada@contoso.example"
PASSWORD: Final = "Local-pass-1"
EXCEPTIONS_FILE: Final = ROOT / "local" / "demo-exceptions.csv"


def _application(client_id: str, name: str, requires_product: str | None = None) -> Mapping[str, object]:
    return {
        "name": name,
        "redirectUris": [f"https://{client_id}.example/signin"],
        "ssoSupported": True,
        "requiresProduct": requires_product,
        "passwordSignInUri": f"https://{client_id}.example/password",
    }


APPLICATIONS: Final[Mapping[str, Mapping[str, object]]] = {
    "unite": _application("unite", "Unite"),
    "anymeeting": _application("anymeeting", "AnyMeeting"),
    "securisync": _application("securisync", "SecuriSync"),
    "contact-center": _application("contact-center", "Contact Center", requires_product="Unite"),
}


def register(stack: Stack) -> None:
    """Register the account and the applications as the vendor's operator; repeating it changes nothing."""
    headers = {"Authorization": f"Bearer {stack.panel_token(OPERATOR, PASSWORD)}"}
    with httpx.Client(base_url=stack.app_url, headers=headers, timeout=10, trust_env=False) as operator:
        _put(operator, f"/v1/accounts/{ACCOUNT_ID}", ACCOUNT)
        for client_id, application in APPLICATIONS.items():
            _put(operator, f"/v1/applications/{client_id}", application)


def _put(operator: httpx.Client, path: str, document: Mapping[str, object]) -> None:
    answer = operator.put(path, json=document)
    if answer.status_code == httpx.codes.PRECONDITION_REQUIRED:
        # It exists with other content, from an earlier version of this file.
        answer = operator.put(path, json=document, headers={"If-Match": "*"})
    if answer.is_error:
        raise StackError(f"PUT {path} answered {answer.status_code}: {answer.text}")
