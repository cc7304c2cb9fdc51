"""A value that does not exist."""

from __future__ import annotations

from collections.abc import Iterator

from orchestra.check.facts import Facts
from orchestra.check.rule import Finding, Rule
from orchestra.check.schedules import faults


def check(facts: Facts) -> Iterator[Finding]:
    return faults(facts, "range")


RULE = Rule(
    code="E404",
    title="A value is out of range",
    why="The time never comes, or the schedule is refused when it is applied.",
    bad="""\
version: 1
project: shop
workloads:
  purge:
    trigger: {schedule: {cron: "75 3 * * *"}} # <-- E404
    duration: {max: 5s}
    run: {sql: "delete from app.sessions where expires_at < now()"}
""",
    good="""\
version: 1
project: shop
workloads:
  purge:
    trigger: {schedule: {cron: "15 4 * * *"}}
    duration: {max: 5s}
    run: {sql: "delete from app.sessions where expires_at < now()"}
""",
    check=check,
)
