"""Telling applications something, server to server."""

from collections.abc import Mapping
from typing import Protocol

from shared.kernel.names import ClientId


class Notices(Protocol):
    """Posts forms to addresses that operators have registered."""

    async def post(self, client_id: ClientId, url: str, form: Mapping[str, str]) -> None:
        """Post the form, once, and wait for the answer, for some seconds at most.

        An application that does not answer takes nothing from the others: each has a number of posts under way of its
        own.

        Args:
            client_id: whose address it is.
            url: where to post.
            form: what to post.

        Raises:
            Unavailable: no answer in time, one that says no, or an address that is not written to.
        """
        ...
