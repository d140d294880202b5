"""`make openapi`: writes `docs/openapi.json`, the description of the API, and `functions/index.json`.

The service returns the same description at `/openapi.json`, with its own address and version, and registers its
functions by the index. So each change of both shows in a diff. A test compares the files with the code.
"""

import json
from typing import Final

from functions.app import build_resources
from functions.http import index
from functions.openapi import openapi
from local.processes import ROOT
from shared.services import Services
from shared.settings import read_settings
from shared.wiring import build_services

FILE: Final = ROOT / "docs" / "openapi.json"

_SETTINGS: Final = {
    "SSO_PUBLIC_URL": "https://sso.example",
    "SSO_TABLES_CONNECTION_STRING": "DefaultEndpointsProtocol=http;AccountName=a;AccountKey=a2V5;"
    "TableEndpoint=http://127.0.0.1:1/a;",
    "SSO_ENTRA_CLIENT_ID": "a5500000-0000-4000-8000-0000000000a5",
    "SSO_ENTRA_CLIENT_SECRET": "none",
    "SSO_CONTROL_PANEL_ISSUER": "https://panel.example",
    "SSO_CONTROL_PANEL_AUDIENCE": "azure-sso",
    "SSO_SIGNING_KEY_FOLDER": ".local/keys",
    "SSO_PSEUDONYM_KEY": "of a service that nobody ever calls",
}
"""Enough to build the app; nothing is opened."""


def described() -> str:
    """Return the document as the file has it: sorted, so that only a change of the API changes it."""
    services = _services()
    endpoints = tuple(endpoint for each in build_resources(services) for endpoint in each.routes.endpoints)
    document = openapi(endpoints, services.edge.public_url)
    document["info"]["version"] = "unversioned"
    return json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def indexed() -> str:
    """Return the index as the file has it."""
    return index.written(tuple(each for resource in build_resources(_services()) for each in resource.indexed()))


def _services() -> Services:
    services = build_services(read_settings(_SETTINGS))
    if not isinstance(services, Services):
        raise SystemExit(f"The settings are invalid: {services.faults}")
    return services


if __name__ == "__main__":
    for file, text in ((FILE, described()), (index.FILE, indexed())):
        file.write_text(text, encoding="utf-8")
        print(f"Wrote {file.relative_to(ROOT)}.")
