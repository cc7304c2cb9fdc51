"""How many cron jobs may run at once."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from orchestra import platform as limits
from orchestra.check.cron import Cron
from orchestra.check.facts import Facts, Scheduled
from orchestra.classify.features import catches_up

_DAY = 1_440
_Shape = tuple[frozenset[int], frozenset[int], frozenset[int], int]
"""Minutes, hours, days of the week, and for how many minutes a run lasts."""


@dataclass(frozen=True, slots=True)
class Jobs:
    """`schedules` is how many fall together in the busiest minute of a week, `when` its time of day (UTC);
    `housekeeping` are the jobs of each minute."""

    consumers: int
    ticks: int
    schedules: int
    when: str
    housekeeping: int

    @property
    def total(self) -> int:
        return self.consumers + self.ticks + self.schedules + self.housekeeping


def busiest(facts: Facts) -> Jobs:
    queues = facts.queues
    consumers = sum(j.workload.concurrency.limit for j in queues if j.sql)
    ticks = len({j.workload.poll_interval_ms for j in queues})
    schedules, when = _coincident(facts)
    catching_up = any(catches_up(s.workload, s.judged.pattern) for s in facts.schedules)
    return Jobs(consumers, ticks, schedules, when, 1 + catching_up)


def _coincident(facts: Facts) -> tuple[int, str]:
    """Schedules in the busiest minute: counted in each minute of a week, equal ones together."""
    always = 0
    shapes: Counter[_Shape] = Counter()
    for s in facts.schedules:
        shape = _shape(s)
        if shape is None:
            always += 1
        else:
            shapes[shape] += 1
    daily = [0] * _DAY
    weekly = [[0] * _DAY for _ in range(7)]
    for (minutes, hours, days, length), count in shapes.items():
        rows = [daily] if len(days) == 7 else [weekly[d] for d in days]
        for at in {(h * 60 + m + k) % _DAY for h in hours for m in minutes for k in range(length)}:
            for row in rows:
                row[at] += count
    most, at = max((daily[t] + max(row[t] for row in weekly), -t) for t in range(_DAY))
    return most + always, f"{-at // 60:02}:{-at % 60:02}"


def _shape(s: Scheduled) -> _Shape | None:
    """None for one that fires so often that it may always be running."""
    cron = s.cron or _every(s.trigger.every_ms or 0)
    if cron is None:
        return None
    # A queue's schedule only enqueues; a statement holds its job for as long as it runs.
    runs_ms = s.workload.durations.max_ms if s.judged.pattern == "scheduled_sql" else 0
    length = max(1, -(-min(runs_ms, limits.CRON_ADVISED_RUN_MS) // 60_000))
    # A schedule with a time zone is looked at in every hour.
    hours = frozenset(range(24)) if s.trigger.timezone else cron.hours
    days = cron.dows if cron.any_dom else frozenset(range(7))
    return cron.minutes, hours, days, length


def _every(interval_ms: int) -> Cron | None:
    from orchestra.check.cron import read_cron
    from orchestra.ir import cron

    text = cron.every(interval_ms)
    return read_cron(text)[0] if text is not None and "second" not in text else None
