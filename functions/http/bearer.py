"""The bearer token of a request (RFC 6750, section 2.1)."""

from azure.functions import HttpRequest

from shared.kernel.refusals import TokenMissing


def unverified_token(req: HttpRequest) -> str:
    """The bearer token of the request, unchecked.

    Raises:
        TokenMissing: there is none.
    """
    scheme, _, token = str(req.headers.get("authorization", "")).partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise TokenMissing("Send an access token of the control panel as `Authorization: Bearer <token>`.")
    return token.strip()
