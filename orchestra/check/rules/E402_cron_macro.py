"""A macro."""

from __future__ import annotations

from collections.abc import Iterator

from orchestra.check.facts import Facts
from orchestra.check.rule import Finding, Rule
from orchestra.check.schedules import faults


def check(facts: Facts) -> Iterator[Finding]:
    return faults(facts, "macro")


RULE = Rule(
    code="E402",
    title="A cron expression is a macro",
    why="Macros hide when a job runs, and not every scheduler that a team knows means the same by them.",
    bad="""\
version: 1
project: shop
workloads:
  purge:
    trigger: {schedule: {cron: "@hourly"}} # <-- E402
    duration: {max: 5s}
    run: {sql: "delete from app.sessions where expires_at < now()"}
""",
    good="""\
version: 1
project: shop
workloads:
  purge:
    trigger: {schedule: {cron: "0 * * * *"}}
    duration: {max: 5s}
    run: {sql: "delete from app.sessions where expires_at < now()"}
""",
    check=check,
)
