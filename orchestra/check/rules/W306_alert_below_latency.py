"""An alert on an age that is normal."""

from __future__ import annotations

from collections.abc import Iterator

from orchestra.check.facts import Facts
from orchestra.check.rule import Finding, Rule
from orchestra.check.words import rounded_up, yaml_duration


def check(facts: Facts) -> Iterator[Finding]:
    for j in facts.queues:
        age = j.workload.alerts.max_age_ms
        worst = None if age is None else j.capacity.latency_worst_s
        if age is not None and worst is not None and age < worst * 1_000:
            normal = rounded_up(worst * 1_000)
            yield Finding(
                j.workload.at("alerts.max_age"),
                f"an age of {yaml_duration(age)} is normal: a message may wait and run for up to {normal}",
                f"Write more than `{normal}`, or make the wait shorter (`poll_interval`, `concurrency`).",
            )


RULE = Rule(
    code="W306",
    title="`alerts.max_age` is below the worst latency",
    why="It fires while everything works as declared, until nobody looks at it any more.",
    bad="""\
version: 1
project: shop
workloads:
  sync:
    summary: Copy invoices
    trigger: manual
    duration: {max: 40s}
    poll_interval: 1m
    alerts: {max_age: 30s} # <-- W306
""",
    good="""\
version: 1
project: shop
workloads:
  sync:
    summary: Copy invoices
    trigger: manual
    duration: {max: 40s}
    poll_interval: 1m
    alerts: {max_age: 10m}
""",
    check=check,
)
