"""Flows whose rows lie beside others, so that one transaction writes all of them: their handles name the partition."""

import secrets

from shared.flows.flows import HANDLE


def handle_beside(partition: str) -> str:
    """A handle of a flow whose row is in this partition.

    Args:
        partition: from `shared.flows.expiry`. The row is kept as long as the others.
    """
    return f"{partition[1:]}.{secrets.token_urlsafe(32)}"


def is_beside(handle: str) -> bool:
    """Whether the handle at the start of this text was made by `handle_beside`."""
    found = HANDLE.match(handle)
    return found is not None and "-" in (found[1] or "")
