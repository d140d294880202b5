"""Notices to applications, server to server."""

from collections.abc import Mapping
from typing import Protocol

from shared.kernel.names import ClientId


class Notices(Protocol):
    """Posts forms to addresses that operators have registered."""

    async def post(self, client_id: ClientId, url: str, form: Mapping[str, str]) -> None:
        """Post the form, once, and wait a few seconds at most for the response.

        An application that does not respond does not slow down the others: each application has its own limit of
        concurrent posts.

        Args:
            client_id: the application whose address it is.
            url: where to post.
            form: what to post.

        Raises:
            Unavailable: no response in time, an error response, or an address that is not allowed.
        """
        ...
