"""A day of the month or a day of the week."""

from __future__ import annotations

from collections.abc import Iterator

from orchestra.check.facts import Facts
from orchestra.check.rule import Finding, Rule


def check(facts: Facts) -> Iterator[Finding]:
    for s in facts.schedules:
        if s.cron is not None and s.cron.either_day:
            yield Finding(
                s.at("cron"),
                f"`{s.trigger.cron}` fires when the day of the month fits, and when the day of the week does",
                "Write `*` for one of them; for both at once let the statement look at the day.",
            )


RULE = Rule(
    code="W401",
    title="Day of month and day of week together mean either",
    why=(
        "Cron runs on each day that fits either of them: `0 0 13 * 5` runs on every 13th and on every Friday."
    ),
    bad="""\
version: 1
project: shop
workloads:
  report:
    trigger: {schedule: {cron: "0 0 13 * 5"}} # <-- W401
    duration: {max: 20s}
""",
    good="""\
version: 1
project: shop
workloads:
  report:
    trigger: {schedule: {cron: "0 0 * * 5"}}
    duration: {max: 20s}
""",
    check=check,
)
