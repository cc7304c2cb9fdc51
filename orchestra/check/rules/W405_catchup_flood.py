"""A window that holds hundreds of runs."""

from __future__ import annotations

from collections.abc import Iterator

from orchestra.check.facts import Facts
from orchestra.check.rule import Finding, Rule
from orchestra.check.words import yaml_duration

_MANY = 100


def check(facts: Facts) -> Iterator[Finding]:
    for s in facts.schedules:
        window, period = s.trigger.catchup_window_ms, s.period_ms
        if window is not None and period and window // period > _MANY:
            yield Finding(
                s.at("catchup_window"),
                f"{window // period:,} runs fall into {yaml_duration(window)}",
                f"Write `{yaml_duration(period * 10)}` or so: what comes often need not be made up for one by one.",
            )


RULE = Rule(
    code="W405",
    title="`catchup_window` holds very many runs",
    why=(
        "After a downtime all of them are made up for, one after the other, when the database has enough to "
        "do."
    ),
    bad="""\
version: 1
project: shop
workloads:
  sync:
    trigger: {schedule: {every: 1m, catchup_window: 1d}} # <-- W405
    duration: {max: 20s}
""",
    good="""\
version: 1
project: shop
workloads:
  sync:
    trigger: {schedule: {every: 1m, catchup_window: 10m}}
    duration: {max: 20s}
""",
    check=check,
)
