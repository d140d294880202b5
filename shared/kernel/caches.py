"""The one bounded cache: the least recently used values make room for new ones."""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from sys import maxsize


class BoundedCache[Key: Hashable, Value]:
    """A bounded number of values by key, with a bounded total weight.

    It knows no time: its user decides how long a value is valid. None is no value.

    Args:
        most: the maximum number of values.
        most_weight: the maximum of their total weight.
        dropped: called with each value that is no longer kept, for any reason.
    """

    __slots__ = ("_dropped", "_most", "_most_weight", "_values", "_weights", "weight")

    def __init__(self, most: int, most_weight: int = maxsize, dropped: Callable[[Value], object] | None = None) -> None:
        self._most = most
        self._most_weight = most_weight
        self._dropped = dropped
        self._values: OrderedDict[Key, Value] = OrderedDict()
        self._weights: dict[Key, int] = {}
        self.weight = 0

    def __len__(self) -> int:
        return len(self._values)

    def __iter__(self) -> Iterator[Key]:
        """The keys; first the one that makes room next."""
        return iter(self._values)

    def get(self, key: Key) -> Value | None:
        """The value, which counts as a use; None if there is none."""
        value = self._values.get(key)
        if value is not None:
            self._values.move_to_end(key)
        return value

    def put(self, key: Key, value: Value) -> None:
        """Set the value of this key. It weighs nothing until `weigh` is called."""
        self.drop(key)
        self._values[key] = value
        self._make_room()

    def weigh(self, key: Key, weight: int) -> None:
        """Set the weight of this key's value, which may be too heavy to keep."""
        self.weight += weight - self._weights.get(key, 0)
        self._weights[key] = weight
        self._make_room()

    def drop(self, key: Key) -> None:
        """Remove the value of this key."""
        value = self._values.pop(key, None)
        if value is None:
            return
        self.weight -= self._weights.pop(key, 0)
        if self._dropped is not None:
            self._dropped(value)

    def _make_room(self) -> None:
        while len(self._values) > self._most or self.weight > self._most_weight:
            self.drop(next(iter(self)))
