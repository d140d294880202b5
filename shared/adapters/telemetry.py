"""Events as one line of JSON each, on the logger `azure_sso`, and as counters of OpenTelemetry.

The host of the worker collects the lines. The counters exist only if the worker has set OpenTelemetry up, which it does
before it imports this app; otherwise nothing of OpenTelemetry is imported, because imports are the cold start.
"""

import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING

from shared.kernel.encoding import flat_json
from shared.kernel.pseudonyms import Pseudonyms
from shared.ports.telemetry import Event, EventName

if TYPE_CHECKING:
    from opentelemetry.metrics import Counter, Meter

_log = logging.getLogger("azure_sso")

COUNTERS = {
    EventName.RESOLVE: "azure_sso.resolutions",
    EventName.CONNECT: "azure_sso.connections",
    EventName.SIGN_IN: "azure_sso.sign_ins",
    EventName.REFUSAL: "azure_sso.refusals",
}
"""Names of metrics, for queries and alerts."""


def workers_meter() -> "Meter":
    """The meter of the OpenTelemetry SDK that the Python worker has set up."""
    from opentelemetry.metrics import get_meter

    return get_meter("azure_sso")


class LinesAndCounters:
    """Logs and counts events.

    Args:
        pseudonyms: replaces a person's address in a line.
        meter: makes the counters at the first event, or None to count nothing.
    """

    def __init__(self, pseudonyms: Pseudonyms, meter: "Callable[[], Meter] | None") -> None:
        self._pseudonyms = pseudonyms
        self._counters = None if meter is None else _Counters(meter)

    def note(self, event: Event) -> None:
        """See the port."""
        with suppress(Exception):  # a log handler or an exporter may fail; the sign-in continues
            if self._counters is not None:
                self._counters.count(event)
            if _log.isEnabledFor(logging.INFO):
                _log.handle(_record(self._line(event)))

    def _line(self, event: Event) -> str:
        return flat_json(
            {
                "event": event.name,
                "outcome": event.outcome,
                "reason": event.reason,
                "account": event.account_id,
                "application": event.application,
                "person": None if event.email is None else self._pseudonyms.of(event.email),
            }
        )


def _record(line: str) -> logging.LogRecord:
    """The record that `_log.info(line)` makes, by the path of the code that calls it.

    `info` finds the caller on the stack, which takes a fifth of the time of a resolution from the cache.
    """
    here = LinesAndCounters.note.__code__
    place = (here.co_filename, here.co_firstlineno)
    return _log.makeRecord(_log.name, logging.INFO, *place, line, (), None, here.co_name)


class _Counters:
    def __init__(self, meter: "Callable[[], Meter]") -> None:
        self._meter = meter

    def count(self, event: Event) -> None:
        """The counter's attributes: few values, none of which identifies a person or a customer."""
        reason = {} if event.reason is None else {"reason": event.reason}
        self._counters[event.name].add(1, {"outcome": event.outcome, **reason})

    @cached_property
    def _counters(self) -> "Mapping[EventName, Counter]":
        meter = self._meter()
        return {name: meter.create_counter(counter, "{event}") for name, counter in COUNTERS.items()}
