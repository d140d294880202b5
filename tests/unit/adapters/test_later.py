"""An adapter that is made when it is first used, and then kept."""

import pytest

from shared.adapters.later import later


class Maker:
    """Makes a list, unless it has failed less often than it is to."""

    def __init__(self, failing: int = 0, error: type[Exception] = ImportError) -> None:
        self.calls = 0
        self._failing = failing
        self._error = error

    def __call__(self) -> list[int]:
        self.calls += 1
        if self.calls <= self._failing:
            raise self._error
        return []


def test_an_adapter_is_made_at_its_first_use_and_once() -> None:
    make = Maker()
    adapter = later(make)
    assert make.calls == 0
    adapter.append(1)
    adapter.append(2)
    assert (make.calls, adapter.count(2)) == (1, 1)


@pytest.mark.parametrize("error", [ImportError, AttributeError, RuntimeError])
def test_an_adapter_that_could_not_be_made_is_made_at_the_next_use(error: type[Exception]) -> None:
    make = Maker(failing=2, error=error)
    adapter = later(make)
    for failed in (1, 2):
        with pytest.raises(error):
            adapter.append(1)
        assert make.calls == failed
    adapter.append(1)
    adapter.append(2)
    assert (make.calls, adapter.count(2)) == (3, 1)


def test_what_an_adapter_does_not_have_is_missing() -> None:
    adapter = later(Maker())
    with pytest.raises(AttributeError, match="'list' object has no attribute 'sign'"):
        adapter.sign  # type: ignore[attr-defined] # noqa: B018
