"""An interval that pg_cron does not have."""

from __future__ import annotations

from collections.abc import Iterator

from orchestra.check.facts import Facts
from orchestra.check.intervals import nearest
from orchestra.check.rule import Finding, Rule
from orchestra.check.words import listed, yaml_duration
from orchestra.ir import cron


def check(facts: Facts) -> Iterator[Finding]:
    for j in facts.queues:
        w = j.workload
        if cron.every(w.poll_interval_ms) is None:
            near = listed(yaml_duration(ms) for ms in nearest(w.poll_interval_ms))
            yield Finding(
                facts.origin(w, "poll_interval"),
                f"pg_cron has no schedule for every {yaml_duration(w.poll_interval_ms)}",
                f"The nearest are {near}: 1 to 59 s, and minutes that divide the hour.",
            )


RULE = Rule(
    code="E319",
    title="`poll_interval` cannot be scheduled exactly",
    why="pg_cron would run it at other times than the spec says.",
    bad="""\
version: 1
project: shop
workloads:
  sync:
    trigger: manual
    duration: {max: 40s}
    poll_interval: 90s # <-- E319
""",
    good="""\
version: 1
project: shop
workloads:
  sync:
    trigger: manual
    duration: {max: 40s}
    poll_interval: 1m
""",
    check=check,
)
