"""The one bounded memory: what is used goes on, what nobody has used for the longest time makes room."""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from sys import maxsize


class BoundedCache[Key: Hashable, Value]:
    """At most so many values by key, and at most so much weight of them.

    It knows no time: how long a value is good is for its user to say. None is no value.

    Args:
        most: values that are kept.
        most_weight: what they may weigh together.
        dropped: hears of each value that is not kept any longer, for whatever reason.
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
        """The value, which is used by this; None if there is none."""
        value = self._values.get(key)
        if value is not None:
            self._values.move_to_end(key)
        return value

    def put(self, key: Key, value: Value) -> None:
        """Keep a value in the place of any other. It weighs nothing until `weigh` says what."""
        self.drop(key)
        self._values[key] = value
        self._make_room()

    def weigh(self, key: Key, weight: int) -> None:
        """Say what the value of this key weighs, which may be too much for it to stay."""
        self.weight += weight - self._weights.get(key, 0)
        self._weights[key] = weight
        self._make_room()

    def drop(self, key: Key) -> None:
        """Keep nothing for this key."""
        value = self._values.pop(key, None)
        if value is None:
            return
        self.weight -= self._weights.pop(key, 0)
        if self._dropped is not None:
            self._dropped(value)

    def _make_room(self) -> None:
        while len(self._values) > self._most or self.weight > self._most_weight:
            self.drop(next(iter(self)))
