"""How often a schedule fires in a month of 30 days. Strictness is not its task: what it cannot read counts
as None."""

from __future__ import annotations

from orchestra import platform as limits
from orchestra.spec.model import ScheduleTrigger

_NAMES_OF_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTHS = dict(zip(_NAMES_OF_MONTHS, range(1, 13), strict=True))
_DAYS = dict(zip(("sun", "mon", "tue", "wed", "thu", "fri", "sat"), range(7), strict=True))
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
        minutes = len(_values(fields[0], 0, 59))
        hours = len(_values(fields[1], 0, 23))
        months = len(_values(fields[3], 1, 12, _MONTHS))
        days = _share_of_days(fields[2], fields[4])
    except ValueError:
        return None
    return minutes * hours * days * (months / 12) * 30


def _share_of_days(dom: str, dow: str) -> float:
    """Day of month and day of week together mean OR, where both are restricted."""
    by_month = 1 / _MEAN_MONTH_DAYS if dom == "$" else min(len(_values(dom, 1, 31)) / _MEAN_MONTH_DAYS, 1)
    by_week = len({d % 7 for d in _values(dow, 0, 7, _DAYS)}) / 7
    if dom.startswith("*"):
        return by_week
    return by_month if dow.startswith("*") else by_month + by_week - by_month * by_week


def _values(field: str, low: int, high: int, names: dict[str, int] | None = None) -> set[int]:
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
    return found


def _number(text: str, names: dict[str, int] | None) -> int:
    return names[text] if names and text in names else int(text)
