"""Another scheduler's language."""

from __future__ import annotations

from collections.abc import Iterator

from orchestra.check.facts import Facts
from orchestra.check.rule import Finding, Rule
from orchestra.check.schedules import faults


def check(facts: Facts) -> Iterator[Finding]:
    return faults(facts, "foreign")


RULE = Rule(
    code="E403",
    title="A cron expression uses another scheduler's language",
    why=(
        "pg_cron refuses some of it at apply, and takes the rest for something else: `1#2` runs every Monday."
    ),
    bad="""\
version: 1
project: shop
workloads:
  purge:
    trigger: {schedule: {cron: "0 3 ? * MON#2"}} # <-- E403
    duration: {max: 5s}
    run: {sql: "delete from app.sessions where expires_at < now()"}
""",
    good="""\
version: 1
project: shop
workloads:
  purge:
    trigger: {schedule: {cron: "0 3 * * MON"}}
    duration: {max: 5s}
    run: {sql: "delete from app.sessions where expires_at < now()"}
""",
    check=check,
)
