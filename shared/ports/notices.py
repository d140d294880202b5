"""Telling applications something, server to server."""

from collections.abc import Mapping
from typing import Protocol


class Notices(Protocol):
    """Posts forms to addresses that operators have registered."""

    async def post(self, url: str, form: Mapping[str, str]) -> None:
        """Post the form, once, and wait for the answer.

        Raises:
            Unavailable: no answer in time, or one that says no.
        """
        ...
