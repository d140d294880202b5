"""Requests of the portal's own page, which prove a session by a cookie and not by a token.

A browser adds a cookie by itself, so the cookie alone proves nothing about who has written the request. Three checks
do, and all must pass: the cookie is `SameSite=Strict`; `Sec-Fetch-Site` says that a page of this very origin asks
(https://www.w3.org/TR/fetch-metadata/), which no script can set, and which a page of a sibling domain does not get; and
a header carries a token that only this origin can read, as the answer to a request that has passed the other two. A
request without `Sec-Fetch-Site` is refused.
"""

import hmac

from azure.functions import HttpRequest

from functions.http.cookies import portal_cookies
from functions.http.requests import account_id
from shared.flows.flows import digest
from shared.kernel.names import AccountId
from shared.kernel.refusals import Forbidden

CSRF_HEADER = "X-Azure-SSO-CSRF"
_NAME_LENGTH = 16


def cookie_of(account: AccountId) -> str:
    """The name of the session's cookie, behind its prefix: a browser may have a session in each of several accounts."""
    return digest(f"portal {account}")[:_NAME_LENGTH]


def unverified_secret(req: HttpRequest, prefix: str) -> str | None:
    """The secret of a session that the browser sent for the account in the path; None if it sent none.

    Raises:
        Invalid: the path names no account.
    """
    return portal_cookies(prefix).named(req, cookie_of(account_id(req)))


def csrf_token(secret: str) -> str:
    """The token that belongs to a session. It does not reveal the secret."""
    return digest(f"portal csrf {secret}")


def must_be_of_this_origin(req: HttpRequest) -> None:
    """Refuse a request that the portal's own page has not sent.

    Raises:
        Forbidden: another site or another host of this one has; or the browser does not say.
    """
    if req.headers.get("sec-fetch-site") != "same-origin":
        raise Forbidden("A session of the portal acts from the portal's own page alone, in a browser of today.")


def must_carry_token(req: HttpRequest, secret: str) -> None:
    """Refuse a request without the token that belongs to the session.

    Raises:
        Forbidden: it is missing or another one.
    """
    sent = req.headers.get(CSRF_HEADER.lower(), "").encode(errors="replace")
    if not hmac.compare_digest(sent, csrf_token(secret).encode()):
        raise Forbidden(f"A session of the portal sends its token in the header {CSRF_HEADER}. Reload the page.")
