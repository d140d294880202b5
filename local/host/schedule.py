"""NCRONTAB, the six-field schedules of timer triggers, in a small implementation of our own.

The cron libraries on PyPI put the seconds last or join the two day fields with OR; NCRONTAB starts with the
seconds and wants both day fields to match
(https://learn.microsoft.com/en-us/azure/azure-functions/functions-bindings-timer). It understands `*`, `a`,
`a-b`, `/step`, lists and English names; five fields mean second 0. Times are UTC, as in Azure.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Self

_MONTHS: Final = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS: Final = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_FIELDS: Final[Sequence[tuple[str, int, int, Sequence[str]]]] = (
    ("second", 0, 59, ()),
    ("minute", 0, 59, ()),
    ("hour", 0, 23, ()),
    ("day", 1, 31, ()),
    ("month", 1, 12, _MONTHS),
    ("day of week", 0, 6, _DAYS),
)
_HORIZON: Final = timedelta(days=366 * 8)
"""The longest wait of any real date: 29 February across a century that has none."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """A parsed NCRONTAB expression: the values that each field allows."""

    expression: str
    seconds: tuple[int, ...]
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: tuple[int, ...]
    months: tuple[int, ...]
    weekdays: tuple[int, ...]

    @classmethod
    def parse(cls, expression: str) -> Self:
        """Parse an expression of six or five fields; raises ValueError that names the bad field."""
        fields = expression.split()
        if len(fields) == len(_FIELDS) - 1:
            fields = ["0", *fields]
        if len(fields) != len(_FIELDS):
            raise ValueError(f"{expression!r} must have six fields: second minute hour day month day-of-week.")
        allowed = [_values(field, *bounds) for field, bounds in zip(fields, _FIELDS, strict=True)]
        return cls(expression, *allowed)

    def next_after(self, moment: datetime) -> datetime:
        """Return the first occurrence after `moment`; raises ValueError if no date ever matches."""
        times = [(h, m, s) for h in self.hours for m in self.minutes for s in self.seconds]
        start = moment.replace(microsecond=0) + timedelta(seconds=1)
        day = start.replace(hour=0, minute=0, second=0)
        while day - start < _HORIZON:
            if self._matches_date(day):
                earliest = (start.hour, start.minute, start.second) if day.date() == start.date() else (0, 0, 0)
                found = next((time for time in times if time >= earliest), None)
                if found:
                    return day.replace(hour=found[0], minute=found[1], second=found[2])
            day += timedelta(days=1)
        raise ValueError(f"{self.expression!r} never occurs.")

    def _matches_date(self, day: datetime) -> bool:
        return day.month in self.months and day.day in self.days and day.isoweekday() % 7 in self.weekdays


def _values(field: str, name: str, low: int, high: int, names: Sequence[str]) -> tuple[int, ...]:
    allowed: set[int] = set()
    for part in field.split(","):
        span, _, step = part.partition("/")
        first, dash, last = ("*", "", "") if span == "*" else span.partition("-")
        try:
            start = low if first == "*" else _number(first, low, names)
            # `5/15` means from 5 on, `5` means 5 alone.
            end = _number(last, low, names) if dash else high if step or first == "*" else start
            width = int(step) if step else 1
        except ValueError:
            raise ValueError(f"{field!r} is not a schedule's {name}.") from None
        if not (low <= start <= end <= high and width > 0):
            raise ValueError(f"{field!r} is out of range for a schedule's {name} ({low} to {high}).")
        allowed.update(range(start, end + 1, width))
    return tuple(sorted(allowed))


def _number(text: str, low: int, names: Sequence[str]) -> int:
    return names.index(text[:3].upper()) + low if text.isalpha() else int(text)
