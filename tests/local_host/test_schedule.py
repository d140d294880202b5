from datetime import UTC, datetime

import pytest

from local.host import Schedule

MOMENT = datetime(2026, 11, 23, 10, 30, 15, 500_000, UTC)
"""A Monday."""


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("* * * * * *", "2026-11-23T10:30:16"),
        ("0 */5 * * * *", "2026-11-23T10:35:00"),
        ("*/5 * * * *", "2026-11-23T10:35:00"),
        ("15 30 10 * * *", "2026-11-24T10:30:15"),
        ("0 0 * * * *", "2026-11-23T11:00:00"),
        ("0 0 3 * * *", "2026-11-24T03:00:00"),
        ("0 30 9 * * Sun", "2026-11-29T09:30:00"),
        ("0 30 9 * * 1-5", "2026-11-24T09:30:00"),
        ("0 0 0 1 * *", "2026-12-01T00:00:00"),
        ("0 0 0 1 JAN,Jul *", "2027-01-01T00:00:00"),
        ("0 0 0 13 * 5", "2027-08-13T00:00:00"),
        ("0 0 0 29 2 *", "2028-02-29T00:00:00"),
        ("0 5/20 10-12 * * *", "2026-11-23T10:45:00"),
        ("0,20 30 10 * * *", "2026-11-23T10:30:20"),
        ("0 0 0 31 12 *", "2026-12-31T00:00:00"),
    ],
)
def test_the_next_occurrence(expression: str, expected: str) -> None:
    assert Schedule.parse(expression).next_after(MOMENT).isoformat() == f"{expected}+00:00"


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "* * * *",
        "60 * * * * *",
        "* * 24 * * *",
        "x * * * * *",
        "*/0 * * * * *",
        "5-1 * * * * *",
        "* * * * * 7",
    ],
)
def test_what_is_no_schedule_is_refused(expression: str) -> None:
    with pytest.raises(ValueError, match=r"schedule's|six fields"):
        Schedule.parse(expression)


def test_a_date_that_never_comes_is_refused() -> None:
    with pytest.raises(ValueError, match="never occurs"):
        Schedule.parse("0 0 0 30 2 *").next_after(MOMENT)
