"""Invocations of Edge Functions a month, from what is declared to arrive: requests at the door, and workers.

A worker stays while there is work and lingers a little after it, so a new one starts where a gap between
requests is longer than the last request's work and the linger. With requests at random times of rate r that
is `r * exp(-r * (work + linger))` a second, times the slots that one request's items keep busy. A worker that
is never idle is still replaced after its J items, or when its time is over. Tests simulate it.
"""

from __future__ import annotations

from collections.abc import Callable
from math import ceil, exp

from orchestra import platform as limits
from orchestra.classify import features
from orchestra.classify.frequency import fires_a_month
from orchestra.classify.model import Arithmetic
from orchestra.spec.model import HttpTrigger, ScheduleTrigger, Workload


def requests_a_month(workload: Workload) -> float | None:
    """What starts work in a month: the declared arrival (items, so over the fan-out), else the schedules."""
    if workload.arrival.rate is not None:
        return workload.arrival.rate * limits.MONTH_S / items_a_request(workload)
    schedules = [t for t in workload.triggers if isinstance(t, ScheduleTrigger)]
    if not schedules or len(schedules) < len(workload.triggers):
        return None
    counts = [fires_a_month(t) for t in schedules]
    return None if None in counts else sum(c for c in counts if c is not None)


def items_a_request(workload: Workload) -> int:
    if workload.fan_out is None:
        return max(len(workload.steps), 1)
    return max(workload.fan_out.typical or 1, 1)


def of_wait_until(workload: Workload) -> float | None:
    """Each request is one call."""
    return requests_a_month(workload)


def of_queue(workload: Workload, numbers: Callable[[], Arithmetic]) -> float | None:
    """Calls at the door (HTTP triggers), and workers started by wakes and by ticks that find work.

    The arithmetic is asked for only where something is declared to arrive.
    """
    requests = requests_a_month(workload)
    if requests is None:
        return None
    door = requests if any(isinstance(t, HttpTrigger) for t in workload.triggers) else 0.0
    if not features.has_edge(workload):
        return door
    linger_ms = workload.linger_ms if workload.linger_ms is not None else limits.EDGE_LINGER_MS
    items = items_a_request(workload)
    return door + limits.MONTH_S * started_per_s(
        requests / limits.MONTH_S, items, linger_ms / 1_000, numbers()
    )


def started_per_s(requests_per_s: float, items: int, linger_s: float, numbers: Arithmetic) -> float:
    """Workers started a second."""
    busy = min(numbers.slots, ceil(items / numbers.per_slot))
    work = max(numbers.item_s, items * numbers.item_time_s / busy)
    idle_starts = requests_per_s * exp(-requests_per_s * (work + linger_s)) * busy
    by_items = requests_per_s * items / numbers.items
    awake = min(numbers.slots, 1 - exp(-requests_per_s * (work + linger_s)))
    by_time = awake / (numbers.window_s + numbers.boot_s)
    return max(idle_starts, by_items, by_time)
