"""What the worker hands to a function beside the request."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Invocation:
    """One call, by whose id operators find it in their log."""

    invocation_id: str = "5e110000-0000-4000-8000-0000000000aa"
