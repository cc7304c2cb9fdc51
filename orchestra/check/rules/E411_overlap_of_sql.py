"""Two runs of one statement at once."""

from __future__ import annotations

from collections.abc import Iterator

from orchestra.check.facts import Facts
from orchestra.check.rule import Finding, Rule


def check(facts: Facts) -> Iterator[Finding]:
    for s in facts.schedules:
        if s.trigger.overlap == "allow" and s.judged.pattern == "scheduled_sql":
            yield Finding(
                s.at("overlap"),
                f"runs of `{s.workload.name}` cannot overlap: pg_cron runs a job once at a time",
                "Write `overlap: skip` or `buffer_one`, or `pattern: queue` with `concurrency`.",
            )


RULE = Rule(
    code="E411",
    title="`overlap: allow` for scheduled SQL",
    why="pg_cron never runs a job beside itself, so the second run would wait all the same.",
    bad="""\
version: 1
project: shop
workloads:
  sync:
    trigger: {schedule: {every: 1m, overlap: allow}} # <-- E411
    duration: {max: 20s}
    run: {sql: "select app.sync()"}
""",
    good="""\
version: 1
project: shop
workloads:
  sync:
    trigger: {schedule: {every: 1m, overlap: skip}}
    duration: {max: 20s}
    run: {sql: "select app.sync()"}
""",
    check=check,
)
