"""Partitions by the time of expiry: what has expired is one range of the primary index, and is removed 100 at a time.

A partition is the minute, the day or the month in which its rows expire, and one of sixteen shards: a store takes some
2,000 operations a second for each (https://learn.microsoft.com/azure/storage/tables/scalability-targets). Names sort
like times, and before every row that an earlier release has written, whose partition is a hash.
"""

from datetime import UTC, datetime, timedelta

_FIRST = "-"
"""Sorts before letters and digits."""

BEYOND = "0"
"""The first name that no partition of this module has. Rows of earlier releases are in partitions from here on."""

SHARDS = "0123456789abcdef"
"""How a name may begin, which tells its shard."""

_MARGIN = timedelta(minutes=1)
"""How much longer rows are kept: a handle is made before its flow is written, and clocks of two instances differ."""


def minute_of(expires_at: datetime) -> str:
    """The minute at whose end a row that expires then may be removed."""
    return (expires_at + _MARGIN).astimezone(UTC).strftime("%Y%m%dT%H%M")


def day_of(expires_at: datetime) -> str:
    """The day at whose end a row that expires then may be removed, as a minute that no clock shows."""
    return (expires_at + _MARGIN).astimezone(UTC).strftime("%Y%m%dT2400")


def month_of(expires_at: datetime) -> str:
    """The month at whose end a row that expires then may be removed, as a minute that no clock shows.

    Rows that live for weeks are found by a name in a few months, where they would be in dozens of days.
    """
    return (expires_at + _MARGIN).astimezone(UTC).strftime("%Y%m31T2400")


def months_of_four_weeks(now: datetime) -> tuple[str, str]:
    """This month and the next: whatever expires within 28 days does so in one of them."""
    first = (now + _MARGIN).astimezone(UTC).replace(day=1)
    return month_of(now), month_of(first + timedelta(days=32))


def partition_of(time: str, name: str) -> str:
    """The partition of the rows that expire then.

    Args:
        time: the minute, day or month.
        name: a hash in hexadecimal, for the shard.
    """
    return f"{_FIRST}{time}-{name[0]}"


def first_to_keep(now: datetime) -> str:
    """The name before which every partition may be removed."""
    return _FIRST + now.astimezone(UTC).strftime("%Y%m%dT%H%M")
