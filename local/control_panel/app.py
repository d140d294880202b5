"""The control panel: a page around the component, and access tokens for the people of the local issuer."""

from html import escape
from pathlib import Path
from typing import Final

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from local.cast.person import PASSWORD

PEOPLE: Final = {
    "sam": ("Sam Security", "Security Manager of Contoso", "contoso"),
    "rita": ("Rita Reader", "Security Reader of Contoso", "contoso"),
    "frida": ("Frida Security", "Security Manager of Fabrikam", "fabrikam"),
    "norman": ("Norman Security", "Security Manager of Northwind", "northwind"),
    "olga": ("Olga Operator", "Support, in the account Contoso", "contoso"),
    "ulla": ("Ulla User", "no role, in the account Contoso", "contoso"),
}
"""Everybody who may open it: their name, their role, and their account."""

_FOLDER: Final = Path(__file__).parent


class ControlPanel:
    """The application.

    Args:
        service: where browsers reach the service.
        issuer: the issuer of access tokens.
    """

    def __init__(self, service: str, issuer: str) -> None:
        self._service: Final = service
        self._issuer: Final = issuer

    def asgi(self) -> Starlette:
        """The application for a web server."""
        return Starlette(
            routes=[
                Route("/", self.page),
                Route("/shell.js", self.script),
                Route("/token/{username}", self.token),
                Route("/portal/{username}", self.portal),
            ]
        )

    async def page(self, _: Request) -> Response:
        """Show Account > Security Policies > Identity Management."""
        options = "".join(
            f'<option value="{name}" data-account="{account}">{escape(f"{full}, {role}")}</option>'
            for name, (full, role, account) in PEOPLE.items()
        )
        page = (_FOLDER / "page.html").read_text(encoding="utf-8")
        policy = (
            f"default-src 'none'; script-src 'self' {self._service}; connect-src 'self' {self._service}; "
            "style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        )
        html = page.replace("{{service}}", escape(self._service)).replace("{{people}}", options)
        return HTMLResponse(html, headers={"Content-Security-Policy": policy, "Cache-Control": "no-store"})

    async def script(self, _: Request) -> Response:
        """Give the page's script: how any control panel embeds the component."""
        text = (_FOLDER / "shell.js").read_text(encoding="utf-8")
        return Response(text, media_type="text/javascript", headers={"Cache-Control": "no-store"})

    async def token(self, request: Request) -> Response:
        """Give an access token for one of the people, as the backend of a control panel would for who is signed in."""
        username = request.path_params["username"]
        if username not in PEOPLE or request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
            return PlainTextResponse("Nobody of that name works here.", 404)
        return JSONResponse({"token": await self._token(username)}, headers={"Cache-Control": "no-store"})

    async def portal(self, request: Request) -> Response:
        """Send one of the people to the hosted pages, as a control panel does that cannot embed the component."""
        username = request.path_params["username"]
        if username not in PEOPLE or request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
            return PlainTextResponse("Nobody of that name works here.", 404)
        headers = {"Authorization": f"Bearer {await self._token(username)}"}
        address = f"{self._service}/v1/accounts/{PEOPLE[username][2]}/portal"
        # An operator would say who acts; everybody else opens the portal for themselves.
        actor = {"subject": f"panel-user-{username}", "name": PEOPLE[username][0]} if username == "olga" else None
        async with httpx.AsyncClient(trust_env=False) as client:
            answer = await client.post(address, json={"actor": actor}, headers=headers)
        if answer.is_error:
            return PlainTextResponse(answer.json()["detail"], answer.status_code)
        return RedirectResponse(answer.json()["portalUrl"], 303, {"Cache-Control": "no-store"})

    async def _token(self, username: str) -> str:
        form = {"grant_type": "password", "username": username, "password": PASSWORD}
        async with httpx.AsyncClient(trust_env=False) as client:
            answer = await client.post(f"{self._issuer}/token", data=form)
        return str(answer.json()["access_token"])
