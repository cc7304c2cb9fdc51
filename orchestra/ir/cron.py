"""What pg_cron is given: intervals and local times as schedules that it represents exactly."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from types import MappingProxyType
from typing import Final
from zoneinfo import ZoneInfo

from orchestra.platform import CRON_SECONDS

SECOND: Final = 1_000
MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR

MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
WEEKDAYS: Final = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
MACROS: Final = MappingProxyType(
    {
        "@yearly": "0 0 1 1 *",
        "@annually": "0 0 1 1 *",
        "@monthly": "0 0 1 * *",
        "@weekly": "0 0 * * 0",
        "@daily": "0 0 * * *",
        "@midnight": "0 0 * * *",
        "@hourly": "0 * * * *",
    }
)


def every(interval_ms: int) -> str | None:
    """The schedule of an interval anchored to the epoch, or None where pg_cron has none that is exact.

    The epoch was a Thursday, so 7d fires on Thursdays at midnight UTC.
    """
    if interval_ms <= 0:
        return None
    if interval_ms % SECOND == 0 and interval_ms // SECOND in CRON_SECONDS:
        seconds = interval_ms // SECOND
        return f"{seconds} seconds"
    if interval_ms == MINUTE:
        return "* * * * *"
    if interval_ms % MINUTE == 0 and HOUR % interval_ms == 0:
        minutes = interval_ms // MINUTE
        return f"*/{minutes} * * * *" if minutes < 60 else "0 * * * *"
    if interval_ms % HOUR == 0 and DAY % interval_ms == 0:
        hours = interval_ms // HOUR
        return f"0 */{hours} * * *" if hours < 24 else "0 0 * * *"
    if interval_ms == 7 * DAY:
        return "0 0 * * 4"
    return None


def label(interval_ms: int) -> str:
    """The shortest spelling of a duration: `5s`, `90s`, `2m`, `1h`, `7d`."""
    for unit, size in (("d", DAY), ("h", HOUR), ("m", MINUTE), ("s", SECOND)):
        if interval_ms and interval_ms % size == 0:
            return f"{interval_ms // size}{unit}"
    return f"{interval_ms}ms"


def in_zone(cron: str, timezone: str) -> str:
    """The UTC schedule of a cron expression that is meant in a zone: each hour at the minutes on which it can fall.

    Which of those is the right one is decided by the guard in the database, on the server's own timezone data.
    A time inside a gap fires at the gap's end, so the minutes of those instants belong to it too.
    """
    minute_field = cron.split()[0]
    local = values(minute_field, 0, 59)
    shifts, gap_ends = _zone_minutes(timezone)
    minutes = {(m - shift) % 60 for m in local for shift in shifts}
    if not cron.split()[1].startswith("*"):
        minutes |= gap_ends
    if len(minutes) == 60:
        return "* * * * *"
    return ",".join(str(m) for m in sorted(minutes)) + " * * * *"


@lru_cache(maxsize=1024)
def values(field: str, low: int, high: int, names: tuple[str, ...] = ()) -> frozenset[int]:
    """What one field of an expression means, where `names` stand for the numbers from `low` on. ValueError where it
    cannot be read; whether it is sound is a question for `check.cron`."""
    found: set[int] = set()
    for part in field.lower().split(","):
        span, _, step = part.partition("/")
        if span == "*":
            first, last = low, high
        else:
            start, dash, end = span.partition("-")
            first = _number(start, low, names)
            last = _number(end, low, names) if dash else first
        found.update(range(first, last + 1, int(step) if step else 1))
    return frozenset(found)


def _number(text: str, low: int, names: tuple[str, ...]) -> int:
    return low + names.index(text) if text in names else int(text)


@lru_cache(maxsize=64)
def _zone_minutes(timezone: str) -> tuple[frozenset[int], frozenset[int]]:
    """The zone's offsets in minutes modulo an hour, and the UTC minutes at which its gaps end, 2020 to 2045."""
    zone = ZoneInfo(timezone)
    shifts: set[int] = set()
    gap_ends: set[int] = set()
    moment, last = datetime(2020, 1, 1, tzinfo=UTC), datetime(2046, 1, 1, tzinfo=UTC)
    before = _offset(moment, zone)
    while moment < last:
        shifts.add(before % 60)
        following = moment + timedelta(days=1)
        after = _offset(following, zone)
        if after > before:
            gap_ends.add(_change(moment, following, zone).minute)
        moment, before = following, after
    return frozenset(shifts), frozenset(gap_ends)


def _offset(moment: datetime, zone: ZoneInfo) -> int:
    offset = moment.astimezone(zone).utcoffset() or timedelta()
    return int(offset.total_seconds()) // 60


def _change(low: datetime, high: datetime, zone: ZoneInfo) -> datetime:
    """The first minute after `low` with the offset of `high`."""
    target = _offset(high, zone)
    while high - low > timedelta(minutes=1):
        middle = low + (high - low) / 2
        middle = middle.replace(second=0, microsecond=0)
        if _offset(middle, zone) == target:
            high = middle
        else:
            low = middle
    return high
