"""When a pg_cron schedule is due: pg_cron's own grammar and rules, nonsense included.

For the ticker, which has to do what pg_cron does with whatever is in `cron.job`. What a spec may say is
decided by a strict grammar elsewhere.
"""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import datetime

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat", "sun")
LONGEST = 1000  # bytes; from here on pg_cron refuses
MACROS = {
    "yearly": "0 0 1 1 *",
    "annually": "0 0 1 1 *",
    "monthly": "0 0 1 * *",
    "weekly": "0 0 * * 0",
    "daily": "0 0 * * *",
    "midnight": "0 0 * * *",
    "hourly": "0 * * * *",
}

_INTERVAL = re.compile(r"[ \t\n\v\f\r]*([+-]?)([0-9]+)[ \t\n\v\f\r]*second(?:s[ \t\n\v\f\r]*)?", re.ASCII)
_WORD = re.compile(r"[A-Za-z0-9]+", re.ASCII)
_LEADING = re.compile(r"(?:[ \t]*(?:#[^\n]*)?\n)*[ \t]*")
_JUNK_AND_BLANKS = re.compile(r"[^ \t\n]*[ \t]*")


@dataclass(frozen=True)
class Every:
    """`N seconds`, counted from the start of the run before."""

    seconds: int


@dataclass(frozen=True)
class AtReboot:
    """`@reboot`: once, when the launcher starts."""


@dataclass(frozen=True)
class Calendar:
    """Five fields."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]  # 0 is Sunday, and so is 7
    any_day: bool  # the field of days began with a star: both fields must then hold, else either is enough
    any_weekday: bool
    last_day: bool  # `$`
    wild: bool  # minutes or hours began with a star: such jobs are not made up for when the clock jumps

    def is_due(self, minute: datetime) -> bool:
        """Whether it is due in the minute of this wall-clock time (in cron.timezone)."""
        hit = minute.minute in self.minutes and minute.hour in self.hours
        if not hit or minute.month not in self.months:
            return False
        is_last = minute.day == calendar.monthrange(minute.year, minute.month)[1]
        day = minute.day in self.days or (self.last_day and is_last)
        weekday = minute.isoweekday() % 7 in self.weekdays
        return (day and weekday) if (self.any_day or self.any_weekday) else (day or weekday)


Schedule = Every | AtReboot | Calendar


def parse(text: str) -> Schedule | None:
    """What pg_cron 1.6 makes of the text; None where it says `invalid schedule`."""
    if (seconds := _interval(text)) is not None:
        return Every(seconds)
    if len(text.encode()) >= LONGEST:
        return None
    rest = text[_match_end(_LEADING, text) :]
    if rest.startswith("@"):
        name = re.split(r"[ \t\n]", rest[1:], maxsplit=1)[0]
        if name in ("reboot", "restart"):
            return AtReboot()
        return _calendar(MACROS[name]) if name in MACROS else None
    return _calendar(rest)


def _interval(text: str) -> int | None:
    """Seconds, as C's scanf reads `%u`: both signs, wrapping at 32 bits. None unless 1 to 59."""
    lowered = "".join(c.lower() if c.isascii() else c for c in text)
    found = _INTERVAL.fullmatch(lowered)
    if found is None:
        return None
    value = min(int(found[2]), 2**64 - 1)
    if found[1] == "-" and value < 2**64 - 1:
        value = 2**64 - value
    value %= 2**32
    return value if 1 <= value <= 59 else None


def _calendar(rest: str) -> Calendar | None:
    try:
        minutes, any_minute, rest = _field(rest, 0, 59)
        hours, any_hour, rest = _field(rest, 0, 23)
        last_day = rest.startswith(("$ ", "$\t"))
        if last_day:
            days, any_day, rest = frozenset[int](), False, rest[1:].lstrip(" \t")
        else:
            days, any_day, rest = _field(rest, 1, 31)
        months, _, rest = _field(rest, 1, 12, MONTHS)
        weekdays, any_weekday, rest = _field(rest, 0, 7, DAYS)
    except _Refused:
        return None
    if weekdays & {0, 7}:
        weekdays |= {0, 7}
    wild = any_minute or any_hour
    return Calendar(minutes, hours, days, months, weekdays, any_day, any_weekday, last_day, wild)


class _Refused(Exception):
    pass


def _field(rest: str, low: int, high: int, names: tuple[str, ...] = ()) -> tuple[frozenset[int], bool, str]:
    """Values, whether it began with a star, and what follows the field, its trailing junk and its blanks."""
    starred = rest.startswith("*")
    values: set[int] = set()
    while True:
        if rest.startswith("*"):
            first, last, rest = low, high, rest[1:]
        else:
            first, rest = _number(rest, low, names)
            last = first
            if rest.startswith("-"):
                last, rest = _number(rest[1:], low, names)
            elif rest.startswith("/"):
                raise _Refused  # a step needs a range
        step = 1
        if rest.startswith("/"):
            step, rest = _number(rest[1:], 0, ())
            if not 0 < step <= high:
                raise _Refused
        if not (low <= first <= high and low <= last <= high):
            raise _Refused
        values.update(range(first, last + 1, step))
        if not rest.startswith(","):
            return frozenset(values), starred, rest[_match_end(_JUNK_AND_BLANKS, rest) :]
        rest = rest[1:]


def _number(rest: str, low: int, names: tuple[str, ...]) -> tuple[int, str]:
    found = _WORD.match(rest)
    if found is None:
        raise _Refused
    word, rest = found[0], rest[found.end() :]
    if word.lower() in names:
        return low + names.index(word.lower()), rest
    if not word.isdigit():
        raise _Refused
    value = min(int(word), 2**63 - 1) % 2**32  # as C's atoi, which wraps
    return (value - 2**32 if value >= 2**31 else value), rest


def _match_end(pattern: re.Pattern[str], text: str) -> int:
    found = pattern.match(text)
    return found.end() if found else 0
