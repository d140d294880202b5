"""Flows that follow from another one, at most once: their handles follow from its handle.

So of any number of callers who have the first handle, one begins what comes next, by a single write, and nothing is
stored of the first but what is known of every flow: the hash of its handle.
"""

import hashlib

from shared.flows.flows import Flow, Flows, handle_in, key_of, spent
from shared.kernel.encoding import base64url
from shared.kernel.refusals import FlowSpent, Unavailable
from shared.ports.table import Insert, RowExists


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


async def issue_once(flows: Flows, flow: Flow, handle: str) -> None:
    """Keep the flow under this handle, unless one of its kind was kept there before.

    What makes flows differ is random, so a row that says the same is this caller's: its response was lost, or the SDK
    has repeated the write.

    Raises:
        FlowSpent: there was one.
        Unavailable: the store does not respond. Unless its response was lost, nothing is kept.
    """
    key, document = key_of(handle, flow.kind), flow.document()
    try:
        await flows.write(flow, Insert(key, document))
    except (RowExists, Unavailable) as failure:
        row = await flows.table.get(key)
        if row is None and isinstance(failure, Unavailable):
            raise
        if row is None or row.document != document:
            raise FlowSpent(spent(type(flow))) from None
