"""A run that may last longer than its period."""

from __future__ import annotations

from collections.abc import Iterator

from orchestra.check.facts import Facts
from orchestra.check.rule import Finding, Rule
from orchestra.check.words import yaml_duration


def check(facts: Facts) -> Iterator[Finding]:
    for s in facts.schedules:
        period, d = s.period_ms, s.workload.durations
        if period is None or s.trigger.overlap == "allow" or d.max_ms <= period < (d.typical_ms or 0):
            continue
        if d.max_ms > period >= (d.typical_ms or 0):
            yield Finding(
                s.at("every" if s.trigger.every_ms else "cron"),
                f"a run takes up to {yaml_duration(d.max_ms)}, and one is due after {yaml_duration(period)}",
                f"Let it run every {yaml_duration(-(-d.max_ms // 60_000) * 60_000)}, or lower `duration.max` if that "
                "is not meant.",
            )


RULE = Rule(
    code="W403",
    title="A run may last longer than its period",
    why="A slow run takes the place of the next: it is skipped, or waits behind it.",
    bad="""\
version: 1
project: shop
workloads:
  sync:
    trigger: {schedule: {every: 30s}} # <-- W403
    duration: {typical: 2s, max: 50s}
    run: {sql: "select app.sync()"}
""",
    good="""\
version: 1
project: shop
workloads:
  sync:
    trigger: {schedule: {every: 1m}}
    duration: {typical: 2s, max: 50s}
    run: {sql: "select app.sync()"}
""",
    check=check,
)
