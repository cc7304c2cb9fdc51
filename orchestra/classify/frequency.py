"""How often a schedule fires in a month of 30 days. Strictness is not its task: what it cannot read counts
as None."""

from __future__ import annotations

from orchestra import platform as limits
from orchestra.ir import cron
from orchestra.spec.model import ScheduleTrigger

_MEAN_MONTH_DAYS = 365.25 / 12


def fires_a_month(trigger: ScheduleTrigger) -> float | None:
    """Mean number of due times in 30 days."""
    if trigger.every_ms is not None:
        return limits.MONTH_S * 1_000 / trigger.every_ms if trigger.every_ms > 0 else None
    if trigger.cron is None:
        return None
    fields = cron.MACROS.get(trigger.cron.strip(), trigger.cron).split()
    if len(fields) != 5:
        return None
    try:
        minutes = len(cron.values(fields[0], 0, 59))
        hours = len(cron.values(fields[1], 0, 23))
        months = len(cron.values(fields[3], 1, 12, cron.MONTHS))
        days = _share_of_days(fields[2], fields[4])
    except ValueError:
        return None
    return minutes * hours * days * (months / 12) * 30


def _share_of_days(dom: str, dow: str) -> float:
    """Day of month and day of week together mean OR, where both are restricted."""
    by_month = 1 / _MEAN_MONTH_DAYS if dom == "$" else min(len(cron.values(dom, 1, 31)) / _MEAN_MONTH_DAYS, 1)
    by_week = len({d % 7 for d in cron.values(dow, 0, 7, cron.WEEKDAYS)}) / 7
    if dom.startswith("*"):
        return by_week
    return by_month if dow.startswith("*") else by_month + by_week - by_month * by_week
