"""The words that telemetry says, learned by letting it tell one event of each kind: queries are held against them.

Metrics, dimensions and fields are read off what really comes out; outcomes are listed by the features that tell them.
"""

import json
import logging
from collections.abc import Mapping

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from shared.adapters.telemetry import LinesAndCounters
from shared.kernel.names import AccountId, ClientId, EmailAddress
from shared.kernel.pseudonyms import Pseudonyms
from shared.ports.telemetry import ConnectStep, Event, EventName, SignInStep
from shared.resolution.decision import Method

ALICE = EmailAddress.parse("alice@contoso.example")


class _Lines(logging.Handler):
    """Keeps what is logged."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[dict[str, str]] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.told.append(json.loads(record.getMessage()))


def vocabulary() -> Mapping[str, frozenset[str]]:
    """The words by their kind: `metrics`, `dimensions`, `fields`, `events` and `outcomes`."""
    reader, lines, logger = InMemoryMetricReader(), _Lines(), logging.getLogger("azure_sso")
    provider, level = MeterProvider(metric_readers=[reader]), logger.level
    logger.addHandler(lines)
    logger.setLevel(logging.INFO)
    try:
        telemetry = LinesAndCounters(Pseudonyms(b"a key of the tests"), lambda: provider.get_meter("azure_sso"))
        for name in EventName:
            telemetry.note(Event(name, "outcome", "reason", AccountId("acme"), ClientId("unite"), ALICE))
        data = reader.get_metrics_data()
    finally:
        logger.removeHandler(lines)
        logger.setLevel(level)
        provider.shutdown()
    assert data is not None
    metrics = data.resource_metrics[0].scope_metrics[0].metrics
    return {
        "metrics": frozenset(metric.name for metric in metrics),
        "dimensions": frozenset(
            name for metric in metrics for point in metric.data.data_points for name in point.attributes or {}
        ),
        "fields": frozenset(field for told in lines.told for field in told),
        "events": frozenset(told["event"] for told in lines.told),
        "outcomes": frozenset({*Method, *ConnectStep, *SignInStep}),
    }
