"""Adapters that are imported and made when they are first used, since the import is the cold start."""

from collections.abc import Callable
from typing import Any, cast


def later[A](make: Callable[[], A]) -> A:
    """The adapter that `make` imports and makes, once. If that fails, the next use tries again."""
    return cast("A", _Later(make))


class _Later:
    """Stands for an adapter, by having its attributes."""

    def __init__(self, make: Callable[[], object]) -> None:
        self._make = make
        self._made: object = None

    def __getattr__(self, name: str) -> Any:
        if self._made is None:
            self._made = self._make()  # no property, since Python asks here again for one that lacks an attribute
        return getattr(self._made, name)
