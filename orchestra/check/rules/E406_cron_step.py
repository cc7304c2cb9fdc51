"""A step that leads nowhere."""

from __future__ import annotations

from collections.abc import Iterator

from orchestra.check.facts import Facts
from orchestra.check.rule import Finding, Rule
from orchestra.check.schedules import faults


def check(facts: Facts) -> Iterator[Finding]:
    return faults(facts, "step")


RULE = Rule(
    code="E406",
    title="A step is zero or longer than its field",
    why=(
        "A step of 0 never advances; one longer than its field runs once a round, at its start, whatever it "
        "says."
    ),
    bad="""\
version: 1
project: shop
workloads:
  purge:
    trigger: {schedule: {cron: "*/90 * * * *"}} # <-- E406
    duration: {max: 5s}
    run: {sql: "delete from app.sessions where expires_at < now()"}
""",
    good="""\
version: 1
project: shop
workloads:
  purge:
    trigger: {schedule: {cron: "0 */2 * * *"}}
    duration: {max: 5s}
    run: {sql: "delete from app.sessions where expires_at < now()"}
""",
    check=check,
)
