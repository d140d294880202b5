"""Adapters that are imported and made when they are first used, since the import is the cold start."""

from collections.abc import Callable
from functools import cached_property
from typing import Any, cast


def later[A](make: Callable[[], A]) -> A:
    """The adapter that `make` imports and makes, once. If that fails, the next use tries again."""
    return cast("A", _Later(make))


class _Later:
    """Stands for an adapter, by having its attributes."""

    def __init__(self, make: Callable[[], object]) -> None:
        self._make = make

    def __getattr__(self, name: str) -> Any:
        return getattr(self._adapter, name)

    @cached_property
    def _adapter(self) -> object:
        return self._make()
