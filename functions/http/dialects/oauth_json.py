"""The dialect of the token endpoint: OAuth error responses (RFC 6749, section 5.2), and its JSON responses."""

import json
from collections.abc import Mapping
from typing import ClassVar

from azure.functions import HttpResponse
from pydantic import JsonValue

from functions.http import cross_origin
from functions.http.dialects import oauth_error
from functions.http.refusals import headers_of, status_of
from shared.kernel.refusals import NotAuthenticated, Refusal, Throttled, TokenMissing, Unavailable, UnsupportedMediaType
from shared.provider.errors import InvalidClientError, OAuthError

_UNSAVED = {"Cache-Control": "no-store", "Pragma": "no-cache", "X-Content-Type-Options": "nosniff"}


class OAuthJson:
    """The dialect of the token endpoint."""

    name: ClassVar = "OAuthError"

    def refused(self, refusal: Refusal, invocation_id: str) -> HttpResponse:
        """See `functions.http.refusals.Dialect`. The id goes in a header, since OAuth has no field for it."""
        told: dict[str, JsonValue] = {"error": _error(refusal), "error_description": refusal.detail}
        headers = {**headers_of(refusal), "X-Request-Id": invocation_id}
        if isinstance(refusal, InvalidClientError):
            del headers["WWW-Authenticate"]
            headers |= {"WWW-Authenticate": 'Basic realm="azure-sso"'} if refusal.in_header else {}
        if isinstance(refusal, TokenMissing):
            told = {}  # a request without credentials gets no error code (RFC 6750, section 3.1)
        return OAuthResponse(told, _status(refusal), headers)

    def failed(self, invocation_id: str) -> HttpResponse:
        """See `functions.http.refusals.Dialect`."""
        response = oauth_error(invocation_id)
        response.headers.update(cross_origin.headers())
        return response


class OAuthResponse(HttpResponse):
    """A JSON response that must not be cached (RFC 6749, section 5.1)."""

    status: ClassVar = 200
    media: ClassVar = "application/json"

    def __init__(
        self, content: Mapping[str, JsonValue], status: int = status, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(
            json.dumps(content),
            status_code=status,
            mimetype=self.media,
            headers={**_UNSAVED, **cross_origin.headers(), **(headers or {})},
        )


class PushedResponse(OAuthResponse):
    """A JSON response to what was created (RFC 9126, section 2.2)."""

    status: ClassVar = 201

    def __init__(self, content: Mapping[str, JsonValue]) -> None:
        super().__init__(content, self.status)


def _status(refusal: Refusal) -> int:
    """As RFC 6749, section 5.2, has it: 401 is for clients that sent an Authorization header."""
    in_body = isinstance(refusal, InvalidClientError) and not refusal.in_header
    return 400 if in_body or isinstance(refusal, UnsupportedMediaType) else status_of(refusal)


def _error(refusal: Refusal) -> str:
    if isinstance(refusal, OAuthError | InvalidClientError):
        return refusal.error
    if isinstance(refusal, NotAuthenticated):
        return "invalid_token"  # RFC 6750, section 3.1
    return "temporarily_unavailable" if isinstance(refusal, Unavailable | Throttled) else "invalid_request"


class PublicJson(HttpResponse):
    """A public JSON response: any origin may read it, and caches may keep it for five minutes."""

    status: ClassVar = 200
    media: ClassVar = "application/json"

    def __init__(self, content: Mapping[str, JsonValue]) -> None:
        headers = {"Cache-Control": "public, max-age=300", "Access-Control-Allow-Origin": "*"}
        super().__init__(json.dumps(content), mimetype=self.media, headers=headers)
