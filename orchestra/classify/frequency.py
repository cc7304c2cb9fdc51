"""How often a schedule fires in a month of 30 days. Strictness is not its task: what it cannot read counts
as None."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Literal

from orchestra import platform as limits
from orchestra.spec.model import ScheduleTrigger

_NAMES_OF_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTHS = dict(zip(_NAMES_OF_MONTHS, range(1, 13), strict=True))
_DAYS = dict(zip(("sun", "mon", "tue", "wed", "thu", "fri", "sat"), range(7), strict=True))
_Unit = Literal["minutes", "hours", "days", "months", "weekdays"]
_UNITS: Mapping[_Unit, tuple[int, int, Mapping[str, int]]] = {
    "minutes": (0, 59, {}),
    "hours": (0, 23, {}),
    "days": (1, 31, {}),
    "months": (1, 12, _MONTHS),
    "weekdays": (0, 7, _DAYS),
}
_MEAN_MONTH_DAYS = 365.25 / 12
_MACROS = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}


def fires_a_month(trigger: ScheduleTrigger) -> float | None:
    """Mean number of due times in 30 days."""
    if trigger.every_ms is not None:
        return limits.MONTH_S * 1_000 / trigger.every_ms if trigger.every_ms > 0 else None
    if trigger.cron is None:
        return None
    fields = _MACROS.get(trigger.cron.strip(), trigger.cron).split()
    if len(fields) != 5:
        return None
    try:
        minutes = len(_values(fields[0], "minutes"))
        hours = len(_values(fields[1], "hours"))
        months = len(_values(fields[3], "months"))
        days = _share_of_days(fields[2], fields[4])
    except ValueError:
        return None
    return minutes * hours * days * (months / 12) * 30


def _share_of_days(dom: str, dow: str) -> float:
    """Day of month and day of week together mean OR, where both are restricted."""
    by_month = 1 / _MEAN_MONTH_DAYS if dom == "$" else min(len(_values(dom, "days")) / _MEAN_MONTH_DAYS, 1)
    by_week = len({d % 7 for d in _values(dow, "weekdays")}) / 7
    if dom.startswith("*"):
        return by_week
    return by_month if dow.startswith("*") else by_month + by_week - by_month * by_week


@lru_cache(maxsize=1024)
def _values(field: str, unit: _Unit) -> frozenset[int]:
    low, high, names = _UNITS[unit]
    found: set[int] = set()
    for part in field.lower().split(","):
        span, _, step = part.partition("/")
        if span == "*":
            first, last = low, high
        else:
            start, dash, end = span.partition("-")
            first = _number(start, names)
            last = _number(end, names) if dash else first
        found.update(range(first, last + 1, int(step) if step else 1))
    return frozenset(found)


def _number(text: str, names: Mapping[str, int]) -> int:
    return names[text] if text in names else int(text)
