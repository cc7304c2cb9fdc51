"""A range that runs backwards."""

from __future__ import annotations

from collections.abc import Iterator

from orchestra.check.facts import Facts
from orchestra.check.rule import Finding, Rule
from orchestra.check.schedules import faults


def check(facts: Facts) -> Iterator[Finding]:
    return faults(facts, "reversed")


RULE = Rule(
    code="E405",
    title="A range runs backwards",
    why="pg_cron accepts it and never runs the job.",
    bad="""\
version: 1
project: shop
workloads:
  purge:
    trigger: {schedule: {cron: "0 22-6 * * *"}} # <-- E405
    duration: {max: 5s}
    run: {sql: "delete from app.sessions where expires_at < now()"}
""",
    good="""\
version: 1
project: shop
workloads:
  purge:
    trigger: {schedule: {cron: "0 22-23,0-6 * * *"}}
    duration: {max: 5s}
    run: {sql: "delete from app.sessions where expires_at < now()"}
""",
    check=check,
)
