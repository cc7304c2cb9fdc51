"""Not five fields."""

from __future__ import annotations

from collections.abc import Iterator

from orchestra.check.facts import Facts
from orchestra.check.rule import Finding, Rule
from orchestra.check.schedules import faults


def check(facts: Facts) -> Iterator[Finding]:
    return faults(facts, "fields")


RULE = Rule(
    code="E401",
    title="A cron expression does not have five fields",
    why=(
        "pg_cron takes six fields without a word and reads them as five: `*/30 * * * * *` runs every 30 "
        "minutes, not seconds."
    ),
    bad="""\
version: 1
project: shop
workloads:
  purge:
    trigger: {schedule: {cron: "*/30 * * * * *"}} # <-- E401
    duration: {max: 5s}
    run: {sql: "delete from app.sessions where expires_at < now()"}
""",
    good="""\
version: 1
project: shop
workloads:
  purge:
    trigger: {schedule: {every: 30s}}
    duration: {max: 5s}
    run: {sql: "delete from app.sessions where expires_at < now()"}
""",
    check=check,
)
