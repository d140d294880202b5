"""Flows that follow from another one, at most once: their handles follow from its handle.

So of any number of callers who have the first handle, one issues what comes next, by a single write, and nothing is
stored of the first but what is known of every flow: the hash of its handle.
"""

import hashlib

from shared.flows.flows import Flow, handle_in
from shared.kernel.encoding import base64url


def following(handle: str, kind: type[Flow]) -> str:
    """The handle of the flow of this kind that follows, which nobody can tell who does not know the first.

    It is kept as long: the first one must be issued to be kept that much longer, see `Flows.new_handle`.

    Args:
        handle: of `Flows.new_handle` or from here; anything after it is ignored.
        kind: the sort of flow that follows.
    """
    first = handle_in(handle)
    minute, _, _ = first.rpartition(".")
    return f"{minute}.{base64url(hashlib.sha256(f'{kind.kind} after {first}'.encode()).digest())}"
