"""A zone for an interval."""

from __future__ import annotations

from collections.abc import Iterator

from orchestra.check.facts import Facts
from orchestra.check.rule import Finding, Rule


def check(facts: Facts) -> Iterator[Finding]:
    for s in facts.schedules:
        if s.trigger.timezone is not None and s.trigger.every_ms is not None:
            yield Finding(
                s.at("timezone"),
                "`every` is the same in every time zone",
                'Remove `timezone`, or write a local time: `cron: "0 3 * * *"`.',
            )


RULE = Rule(
    code="E412",
    title="`timezone` stands beside `every`",
    why=(
        "An interval is counted from the epoch and knows no local time; the zone would be read and ignored."
    ),
    bad="""\
version: 1
project: shop
workloads:
  sync:
    trigger: {schedule: {every: 1d, timezone: Europe/Berlin}} # <-- E412
    duration: {max: 20s}
""",
    good="""\
version: 1
project: shop
workloads:
  sync:
    trigger: {schedule: {cron: "0 0 * * *", timezone: Europe/Berlin}}
    duration: {max: 20s}
""",
    check=check,
)
