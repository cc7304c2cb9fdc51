"""A date that never comes."""

from __future__ import annotations

from collections.abc import Iterator

from orchestra.check.facts import Facts
from orchestra.check.rule import Finding, Rule
from orchestra.check.schedules import faults


def check(facts: Facts) -> Iterator[Finding]:
    return faults(facts, "impossible")


RULE = Rule(
    code="E407",
    title="A date never comes",
    why="pg_cron accepts it, shows it as active, and never runs it.",
    bad="""\
version: 1
project: shop
workloads:
  purge:
    trigger: {schedule: {cron: "0 0 30 2 *"}} # <-- E407
    duration: {max: 5s}
    run: {sql: "delete from app.sessions where expires_at < now()"}
""",
    good="""\
version: 1
project: shop
workloads:
  purge:
    trigger: {schedule: {cron: "0 0 $ 2 *"}}
    duration: {max: 5s}
    run: {sql: "delete from app.sessions where expires_at < now()"}
""",
    check=check,
)
