"""A tick that saves nothing."""

from __future__ import annotations

from collections.abc import Iterator

from orchestra.check.facts import Facts
from orchestra.check.rule import Finding, Rule
from orchestra.check.words import yaml_duration

_ENOUGH_MS = 5_000


def check(facts: Facts) -> Iterator[Finding]:
    for j in facts.queues:
        w = j.workload
        if not j.sql and 0 < w.poll_interval_ms < _ENOUGH_MS:
            a_day = 86_400_000 // w.poll_interval_ms
            yield Finding(
                facts.origin(w, "poll_interval"),
                f"a tick every {yaml_duration(w.poll_interval_ms)} is {a_day:,} connections a day",
                "Write `poll_interval: 5s`, or remove it.",
            )


RULE = Rule(
    code="W316",
    title="An Edge queue is polled more often than it needs",
    why=(
        "Enqueueing wakes an Edge worker at once; the tick is only the safety net, and each one costs a "
        "connection and a log row."
    ),
    bad="""\
version: 1
project: shop
workloads:
  relay:
    trigger: manual
    duration: {max: 20s}
    poll_interval: 1s # <-- W316
""",
    good="""\
version: 1
project: shop
workloads:
  relay:
    trigger: manual
    duration: {max: 20s}
    poll_interval: 5s
""",
    check=check,
)
