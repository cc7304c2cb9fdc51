"""Due times by brute force, minute by minute, on Python's own time zones: what `orchestra.due` is judged by."""

from __future__ import annotations

import calendar
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

MINUTE = timedelta(minutes=1)
MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
WEEKDAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]


class Cron:
    """Five fields; `matches` says whether a local time is one of theirs."""

    def __init__(self, text: str) -> None:
        minute, hour, day, month, weekday = text.lower().split()
        self.minutes = _numbers(minute, 0, 59)
        self.hours = _numbers(hour, 0, 23)
        self.last_day = day == "$"
        self.days = set() if self.last_day else _numbers(day, 1, 31)
        self.months = _numbers(month, 1, 12, MONTHS, 1)
        self.weekdays = {n % 7 for n in _numbers(weekday, 0, 7, WEEKDAYS, 0)}
        self.both_days = day.startswith("*") or weekday.startswith("*")
        self.elapsed = hour.startswith("*")

    def matches(self, local: datetime) -> bool:
        if local.minute not in self.minutes or local.hour not in self.hours or local.month not in self.months:
            return False
        last = calendar.monthrange(local.year, local.month)[1]
        in_month = local.day in self.days or (self.last_day and local.day == last)
        in_week = local.isoweekday() % 7 in self.weekdays
        return (in_month and in_week) if self.both_days else (in_month or in_week)


def _numbers(field: str, low: int, high: int, names: list[str] | None = None, base: int = 0) -> set[int]:
    def number(text: str) -> int:
        return names.index(text) + base if names and text in names else int(text)

    found: set[int] = set()
    for part in field.split(","):
        span, _, step = part.partition("/")
        if span == "*":
            first, last = low, high
        else:
            left, _, right = span.partition("-")
            first, last = number(left), number(right or left)
        found |= set(range(first, last + 1, int(step or 1)))
    return found


def due(cron: str, timezone: str | None, after: datetime, until: datetime) -> list[datetime]:
    """All due times in (after, until].

    A local clock is watched minute by minute. A wildcard hour runs whenever the clock shows a time of its own. A
    fixed hour runs when the clock first passes such a time: what it shows again is old, what it jumps over it passes
    at once.
    """
    fields = Cron(cron)
    zone = ZoneInfo(timezone or "UTC")
    moment = after.astimezone(UTC).replace(second=0, microsecond=0) - timedelta(hours=49)
    furthest = _local(moment, zone)
    found: list[datetime] = []
    while (moment := moment + MINUTE) <= until:
        local = _local(moment, zone)
        if fields.elapsed:
            fires = fields.matches(local)
        else:
            fires = False
            while furthest < local:
                furthest += MINUTE
                fires = fires or fields.matches(furthest)
        if fires and moment > after:
            found.append(moment)
    return found


def _local(moment: datetime, zone: ZoneInfo) -> datetime:
    return moment.astimezone(zone).replace(tzinfo=None, fold=0)


def transitions(timezone: str, first_year: int, last_year: int) -> list[datetime]:
    """The UTC minutes at which a zone's offset changes."""
    zone = ZoneInfo(timezone)
    found: list[datetime] = []
    moment = datetime(first_year, 1, 1, tzinfo=UTC)
    while moment.year <= last_year:
        following = moment + timedelta(days=1)
        if moment.astimezone(zone).utcoffset() != following.astimezone(zone).utcoffset():
            while moment.astimezone(zone).utcoffset() == (moment + MINUTE).astimezone(zone).utcoffset():
                moment += MINUTE
            found.append(moment + MINUTE)
        moment = following
    return found
