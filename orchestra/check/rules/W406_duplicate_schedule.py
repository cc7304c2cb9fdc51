"""The same schedule twice."""

from __future__ import annotations

from collections.abc import Iterator

from orchestra.check.facts import Facts
from orchestra.check.rule import Finding, Rule
from orchestra.ir import cron


def check(facts: Facts) -> Iterator[Finding]:
    seen = set[tuple[str, str, str | None]]()
    for s in facts.schedules:
        t = s.trigger
        text = cron.every(t.every_ms) if t.every_ms is not None else " ".join((t.cron or "").split())
        key = (s.workload.name, text or "", t.timezone)
        if text and key in seen:
            yield Finding(
                s.at("every" if t.every_ms else "cron"),
                f"`{s.workload.name}` has this schedule already",
                "Remove one of the two.",
            )
        seen.add(key)


RULE = Rule(
    code="W406",
    title="A schedule is written twice",
    why="Both are jobs of their own and cost a connection each; the work is done twice.",
    bad="""\
version: 1
project: shop
workloads:
  sync:
    trigger: [{schedule: {every: 5m}}, {schedule: {cron: "*/5 * * * *"}}] # <-- W406
    duration: {max: 20s}
""",
    good="""\
version: 1
project: shop
workloads:
  sync:
    trigger: {schedule: {every: 5m}}
    duration: {max: 20s}
""",
    check=check,
)
