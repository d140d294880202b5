"""The vendor's control panel: access tokens of its people, and API calls with them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from local import loopback


def token(entra_http: str, username: str, *, signature: str | None = None, **claims: Any) -> str:
    """An access token of the panel: `signature` forges it, a claim of None is left out. Raises httpx.HTTPError."""
    body = {"username": username, "claims": claims, "signature": signature}
    answer = loopback.post(f"{entra_http}/_local/control-panel/token", json=body)
    return str(answer.raise_for_status().json()["access_token"])


@dataclass
class Caller:
    """Calls the API with one bearer token, or none, and with `headers` besides."""

    client: httpx.Client
    token: str | None
    headers: Mapping[str, str] = field(default_factory=dict)

    def __call__(self, method: str, path: str, *, etag: str | None = None, **more: Any) -> httpx.Response:
        """Make one call; `etag` is its `If-Match`."""
        bearer = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        condition = {} if etag is None else {"If-Match": etag}
        headers = {**bearer, **condition, **self.headers, **more.pop("headers", {})}
        return self.client.request(method, path, headers=headers, **more)

    def must(self, method: str, path: str, **more: Any) -> Any:
        """Make a call that has to succeed; its document. Raises httpx.HTTPError."""
        answer = self(method, path, **more)
        if not answer.is_success:
            message = f"{method} {path}: {answer.status_code} {answer.text}"
            raise httpx.HTTPStatusError(message, request=answer.request, response=answer)
        return answer.json() if answer.content else None
