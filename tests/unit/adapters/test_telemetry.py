"""Events become lines that name nobody, and counters that know neither customers nor people."""

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from shared.adapters.telemetry import COUNTERS, LinesAndCounters, workers_meter
from shared.kernel.names import AccountId, ClientId, EmailAddress
from shared.kernel.pseudonyms import Pseudonyms
from shared.ports.telemetry import ConnectStep, Event, EventName, SignInStep

ALICE = EmailAddress.parse("alice@contoso.example")
PSEUDONYMS = Pseudonyms(b"the key of these tests")
RESOLVED = Event(EventName.RESOLVE, "sso", "sso_applies", AccountId("acme"), ClientId("unite"), ALICE)


class Counted:
    """What the counters stand at."""

    def __init__(self) -> None:
        self.reader = InMemoryMetricReader()
        self.provider = MeterProvider(metric_readers=[self.reader])
        self.made = 0

    def meter(self) -> Any:
        self.made += 1
        return self.provider.get_meter("azure_sso")

    def read(self) -> dict[str, list[tuple[dict[str, str], int]]]:
        data = self.reader.get_metrics_data()
        metrics = data.resource_metrics[0].scope_metrics[0].metrics if data else []
        return {
            metric.name: [(dict(point.attributes), point.value) for point in metric.data.data_points]
            for metric in metrics
        }


@pytest.fixture
def counted() -> Iterator[Counted]:
    counted = Counted()
    yield counted
    counted.provider.shutdown()


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO, "azure_sso")
    return caplog


def test_a_line_is_json_whose_keys_stand_in_one_order(lines: pytest.LogCaptureFixture) -> None:
    LinesAndCounters(PSEUDONYMS, None).note(RESOLVED)
    person = PSEUDONYMS.of(ALICE)
    told = '{"event":"resolve","outcome":"sso","reason":"sso_applies","account":"acme","application":"unite"'
    assert lines.messages == [f'{told},"person":"{person}"}}']
    assert [(record.name, record.levelno) for record in lines.records] == [("azure_sso", logging.INFO)]


def test_a_line_has_the_place_that_logging_would_find_on_the_stack(lines: pytest.LogCaptureFixture) -> None:
    LinesAndCounters(PSEUDONYMS, None).note(RESOLVED)
    (record,) = lines.records
    code = LinesAndCounters.note.__code__
    assert (record.module, record.funcName, record.pathname) == ("telemetry", "note", code.co_filename)
    assert record.lineno == code.co_firstlineno
    assert record.exc_info is None


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (Event(EventName.CONNECT, ConnectStep.STARTED), {"event": "connect", "outcome": "started"}),
        (
            Event(EventName.SIGN_IN, SignInStep.ASKED, application=ClientId("unite")),
            {"event": "sign_in", "outcome": "asked", "application": "unite"},
        ),
        (
            Event(EventName.REFUSAL, "503", "unavailable"),
            {"event": "refusal", "outcome": "503", "reason": "unavailable"},
        ),
    ],
)
def test_what_is_not_known_is_left_out(lines: pytest.LogCaptureFixture, event: Event, expected: dict[str, str]) -> None:
    LinesAndCounters(PSEUDONYMS, None).note(event)
    assert [json.loads(line) for line in lines.messages] == [expected]


@given(reason=st.text())
def test_a_line_is_json_whatever_the_reason(reason: str) -> None:
    line = LinesAndCounters(PSEUDONYMS, None)._line(Event(EventName.SIGN_IN, SignInStep.REFUSED, reason))
    assert json.loads(line) == {"event": "sign_in", "outcome": "refused", "reason": reason}
    assert "\n" not in line


def test_a_line_names_a_person_by_pseudonym_only(lines: pytest.LogCaptureFixture) -> None:
    LinesAndCounters(PSEUDONYMS, None).note(RESOLVED)
    LinesAndCounters(Pseudonyms(b"another deployment"), None).note(RESOLVED)
    assert "alice" not in lines.text
    one, other = (json.loads(line)["person"] for line in lines.messages)
    assert one != other


def test_counters_are_split_by_outcome_and_reason_and_nothing_else(counted: Counted) -> None:
    telemetry = LinesAndCounters(PSEUDONYMS, counted.meter)
    telemetry.note(RESOLVED)
    telemetry.note(Event(EventName.RESOLVE, "sso", "sso_applies", AccountId("beta"), None, None))
    telemetry.note(Event(EventName.RESOLVE, "password", "excepted", AccountId("acme"), ClientId("unite"), ALICE))
    telemetry.note(Event(EventName.CONNECT, ConnectStep.STARTED, account_id=AccountId("acme")))
    telemetry.note(Event(EventName.SIGN_IN, SignInStep.REFUSED, "AADSTS50105"))
    telemetry.note(Event(EventName.REFUSAL, "404", "not-found"))
    assert counted.read() == {
        "azure_sso.resolutions": [
            ({"outcome": "sso", "reason": "sso_applies"}, 2),
            ({"outcome": "password", "reason": "excepted"}, 1),
        ],
        "azure_sso.connections": [({"outcome": "started"}, 1)],
        "azure_sso.sign_ins": [({"outcome": "refused", "reason": "AADSTS50105"}, 1)],
        "azure_sso.refusals": [({"outcome": "404", "reason": "not-found"}, 1)],
    }


def test_every_kind_of_event_has_a_counter() -> None:
    assert {*COUNTERS} == {*EventName}
    assert len({*COUNTERS.values()}) == len(EventName)


def test_the_meter_is_asked_for_once_and_not_before_the_first_event(counted: Counted) -> None:
    telemetry = LinesAndCounters(PSEUDONYMS, counted.meter)
    assert counted.made == 0
    telemetry.note(RESOLVED)
    telemetry.note(RESOLVED)
    assert counted.made == 1


def test_where_nobody_reads_the_log_no_line_is_made(caplog: pytest.LogCaptureFixture, counted: Counted) -> None:
    caplog.set_level(logging.WARNING, "azure_sso")
    LinesAndCounters(PSEUDONYMS, counted.meter).note(RESOLVED)
    assert caplog.messages == []
    assert counted.read()["azure_sso.resolutions"] == [({"outcome": "sso", "reason": "sso_applies"}, 1)]


def test_a_worker_without_opentelemetry_is_counted_for_nobody(lines: pytest.LogCaptureFixture) -> None:
    LinesAndCounters(PSEUDONYMS, workers_meter).note(RESOLVED)
    assert len(lines.messages) == 1


class Full(logging.Handler):
    """A handler that cannot write."""

    def emit(self, record: logging.LogRecord) -> None:
        raise OSError("No space left on device")


def test_telling_never_fails_who_tells(lines: pytest.LogCaptureFixture) -> None:
    broken = Full()
    logging.getLogger("azure_sso").addHandler(broken)
    try:
        LinesAndCounters(PSEUDONYMS, None).note(RESOLVED)
    finally:
        logging.getLogger("azure_sso").removeHandler(broken)
