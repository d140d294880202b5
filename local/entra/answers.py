"""Responses to clients: to whom they may be sent, and how.

Only a registered client at a registered redirect URI gets one, by redirect or by form. RFC 6749 section 4.1.2.1:
without such a pair nobody is redirected, and the person sees a page.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlencode

from starlette.responses import RedirectResponse, Response

from local.entra import pages
from local.entra.cloud import Cloud
from local.entra.parameters import required
from local.entra.refusals import Refusal, aadsts

type ResponseMode = Literal["query", "form_post"]


@dataclass(frozen=True)
class Recipient:
    """A redirect URI that may be trusted with an answer."""

    redirect_uri: str
    response_mode: ResponseMode
    state: str
    twice: bool = False

    def send(self, **answer: str) -> Response:
        """Send an answer, with the state if there was one."""
        full = answer | ({"state": self.state} if self.state and "state" not in answer else {})
        if self.response_mode == "form_post":
            return pages.form_post(self.redirect_uri, full)
        url = f"{self.redirect_uri}?{urlencode(full)}"
        return pages.twice(url) if self.twice else RedirectResponse(url, 302, {"Cache-Control": "no-store"})

    def refuse(self, refusal: Refusal, **more: str) -> Response:
        """Send a refusal, in OAuth's words and Entra's."""
        return self.send(error=refusal.error, error_description=refusal.description, **more)


def recipient(cloud: Cloud, parameters: Mapping[str, str], tenant: str) -> Recipient:
    """The registered client's registered redirect URI.

    Raises:
        Refusal: AADSTS700016, no such client; AADSTS50011, that address is not registered; AADSTS900144.

    """
    application = cloud.directory.application
    client_id = required(parameters, "client_id")
    if client_id.lower() != application.client_id:
        raise aadsts(700016, client_id=client_id, tenant=tenant)
    redirect_uri = required(parameters, "redirect_uri")
    if redirect_uri not in cloud.redirect_uris:
        raise aadsts(50011, redirect_uri=redirect_uri, client_id=client_id)
    # An unknown mode is refused later, and that refusal travels in the default one.
    mode: ResponseMode = "form_post" if parameters.get("response_mode") == "form_post" else "query"
    return Recipient(redirect_uri, mode, parameters.get("state", ""), cloud.hostile.answer_twice)
