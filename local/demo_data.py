"""The demo's customer and the vendor's four applications, and how the vendor registers them.

Contoso has not bought Unite, and Contact Center needs it: so there is one application that is not ready for
SSO. AnyMeeting really runs: it is the sample application.
"""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Final

import httpx

from local import loopback
from local.processes import ROOT, StackError
from local.stack import Ports, Stack, started, with_panel, with_sample

ACCOUNT_ID: Final = "contoso"
PRODUCTS: Final = ["AnyMeeting", "SecuriSync"]
ACCOUNT: Final[Mapping[str, object]] = {"name": "Contoso", "products": PRODUCTS}
ACCOUNTS: Final[Mapping[str, Mapping[str, object]]] = {
    ACCOUNT_ID: ACCOUNT,
    "fabrikam": {"name": "Fabrikam", "products": ["Unite", *PRODUCTS]},
    "northwind": {"name": "Northwind", "products": PRODUCTS},
}
"""Contoso, whose story the demo plays, and two more, so that the control panel has somebody to switch to."""
SECURITY_MANAGER: Final = "sam"
OPERATOR: Final = "olga"
EXCEPTIONS_FILE: Final = ROOT / "local" / "demo-exceptions.csv"


def applications(stack: Stack) -> Mapping[str, Mapping[str, object]]:
    """The vendor's applications, by client id. AnyMeeting is the sample application of this stack."""
    sample = stack.sample_url
    return {
        "unite": _application("unite", "Unite"),
        "anymeeting": {
            **_application("anymeeting", "AnyMeeting"),
            "redirectUris": [f"{sample}/signin"],
            "passwordSignInUri": f"{sample}/password",
            "postLogoutRedirectUris": [f"{sample}/signed-out"],
            "backchannelLogoutUri": f"{sample}/backchannel-logout",
            "tokenEndpointAuthMethod": "client_secret_basic",
        },
        "securisync": _application("securisync", "SecuriSync"),
        "contact-center": _application("contact-center", "Contact Center", requires_product="Unite"),
    }


def _application(client_id: str, name: str, requires_product: str | None = None) -> Mapping[str, object]:
    return {
        "name": name,
        "redirectUris": [f"https://{client_id}.example/signin"],
        "ssoSupported": True,
        "requiresProduct": requires_product,
        "passwordSignInUri": f"https://{client_id}.example/password",
    }


@contextmanager
def opened(ports: Ports, *, with_app: bool = True) -> Generator[Stack]:
    """Start a stack with the accounts and the applications in it; beside it the sample and a control panel.

    Raises StackError.
    """
    with started(ports, with_app=with_app) as stack:
        register(stack)
        with with_sample(stack, _new_secret(stack)) as with_both, with_panel(with_both) as complete:
            yield complete


def register(stack: Stack) -> None:
    """Register the accounts and the applications as the vendor's operator; repeating it changes nothing."""
    with _operator(stack) as operator:
        for account_id, account in ACCOUNTS.items():
            _put(operator, f"/v1/accounts/{account_id}", account)
        for client_id, application in applications(stack).items():
            _put(operator, f"/v1/applications/{client_id}", application)


def _new_secret(stack: Stack) -> str:
    with _operator(stack) as operator:
        answer = operator.post("/v1/applications/anymeeting/secret", headers={"If-Match": "*"})
    if answer.is_error:
        raise StackError(f"AnyMeeting gets no client secret: {answer.status_code} {answer.text}")
    return str(answer.json()["clientSecret"])


def _operator(stack: Stack) -> httpx.Client:
    headers = {"Authorization": f"Bearer {stack.panel_token(OPERATOR)}"}
    return loopback.client(base_url=stack.app_url, headers=headers, timeout=10)


def _put(operator: httpx.Client, path: str, document: Mapping[str, object]) -> None:
    answer = operator.put(path, json=document)
    if answer.status_code == httpx.codes.PRECONDITION_REQUIRED:
        # It exists with other content, from an earlier version of this file.
        answer = operator.put(path, json=document, headers={"If-Match": "*"})
    if answer.is_error:
        raise StackError(f"PUT {path} answered {answer.status_code}: {answer.text}")
