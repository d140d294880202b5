"""What a reader passes who follows an authorization request to its redirect: few functions, and few ways back.

docs/architecture.md lists them. The rows of the table of checks are read as a table, and count as one.
"""

import re
import sys
from pathlib import Path
from types import FrameType
from typing import Any

from local.processes import ROOT
from shared.provider import authorization_request
from shared.provider.authorization_request import AuthorizationRequest
from shared.provider.authorization_response import RedirectToEntra
from tests.unit.provider.test_authorization_request import GOOD
from tests.unit.provider.world import ALICE, Provider, sent

PROVIDER = Path(authorization_request.__file__).parent
CHECKS = {check.__code__ for check in authorization_request._CHECKS}
MOST_FUNCTIONS, MOST_RETURNS = 10, 5
"""Half of what they were when the provider was split by endpoints: 20 functions, and 10 returns to a module."""

ENDPOINT = ["signin.authorize", "signin.rendered"]
"""The ends of the way, in functions/signin.py."""


class Reader:
    """Goes along with a value through the provider's functions; the value's own properties are no steps."""

    def __init__(self, parameters: object) -> None:
        self.parameters = parameters
        self.functions: list[str] = []
        self._entered: list[FrameType] = []
        self._events: list[tuple[FrameType, bool]] = []

    def follow(self, frame: FrameType, event: str, _: object) -> None:
        """Take a profiler's event; a coroutine that waits returns and is called again, and stays one step."""
        if event == "call" and frame not in self._entered and self._carries(frame):
            self._entered.append(frame)
            self._events.append((frame, True))
            name = f"{module_of(frame)}.{frame.f_code.co_name}"
            if name not in self.functions:
                self.functions.append(name)
        elif event == "return" and frame in self._entered:
            self._events = [each for each in self._events if each != (frame, False)]
            self._events.append((frame, False))

    @property
    def modules(self) -> list[str]:
        """The modules as the reader comes to them."""
        inside, way = [], ["signin"]
        for frame, enters in self._events:
            if enters:
                inside.append(frame)
            else:
                inside.remove(frame)
            way.append(module_of(inside[-1]) if inside else "signin")
        return [module for at, module in enumerate(way) if at == 0 or module != way[at - 1]]

    def _carries(self, frame: FrameType) -> bool:
        if Path(frame.f_code.co_filename).parent != PROVIDER or frame.f_code in CHECKS:
            return False
        if frame.f_back is not None and frame.f_back.f_code in CHECKS:
            return False
        given: dict[str, Any] = {name: value for name, value in frame.f_locals.items() if name != "self"}
        return any(value is self.parameters or isinstance(value, AuthorizationRequest) for value in given.values())

    @property
    def returns(self) -> int:
        """How often the reader comes back to a module that was left."""
        return sum(module in self.modules[:at] for at, module in enumerate(self.modules))


def module_of(frame: FrameType) -> str:
    return Path(frame.f_code.co_filename).stem


async def test_the_way_of_a_request_is_short_and_as_documented() -> None:
    world = Provider()
    await world.switch_on()
    await world.add()
    parameters = sent(**GOOD | {"login_hint": ALICE.address})
    reader = Reader(parameters)
    sys.setprofile(reader.follow)
    try:
        answer = await world.sign_in.authorize(parameters)
    finally:
        sys.setprofile(None)
    assert isinstance(answer, RedirectToEntra), answer
    functions = [ENDPOINT[0], *reader.functions, ENDPOINT[1]]
    assert len(functions) <= MOST_FUNCTIONS, functions
    assert reader.returns <= MOST_RETURNS, " ".join(reader.modules)
    said = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    assert re.findall(r"^\d+\. `(\w+\.\w+)`", said, re.MULTILINE) == functions
