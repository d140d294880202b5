"""Reads the `Authorization` header of a request. Nothing is verified here."""

from azure.functions import HttpRequest

from shared.kernel.refusals import TokenMissing


def authorization(req: HttpRequest) -> str | None:
    """Return the header as it was sent."""
    header: str | None = req.headers.get("authorization")
    return header


def unverified_token(req: HttpRequest) -> str:
    """The bearer token of the request, unchecked.

    Raises:
        TokenMissing: the request has no bearer token.
    """
    scheme, _, token = (authorization(req) or "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise TokenMissing("Send an access token of the control panel as `Authorization: Bearer <token>`.")
    return token.strip()
