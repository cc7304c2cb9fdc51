"""A window that holds more runs than are made up for."""

from __future__ import annotations

from collections.abc import Iterator

from orchestra.check.facts import Facts
from orchestra.check.rule import Finding, Rule
from orchestra.check.words import yaml_duration

_MOST = 100
"""Due times that one look back deals with."""


def check(facts: Facts) -> Iterator[Finding]:
    for s in facts.schedules:
        window, period = s.trigger.catchup_window_ms, s.period_ms
        # Where runs may not overlap, the last one that was missed stands for all of them.
        if s.trigger.overlap == "allow" and window is not None and period and window // period > _MOST:
            yield Finding(
                s.at("catchup_window"),
                f"{window // period:,} runs fall into {yaml_duration(window)}, and the last {_MOST} are made up for",
                f"Write `{yaml_duration(period * 10)}` or so, or `overlap: skip`: then the last run stands for all.",
            )


RULE = Rule(
    code="W405",
    title="`catchup_window` holds very many runs",
    why=(
        "After a downtime they are made up for all at once, when the database has enough to do, and those before the "
        "last hundred are lost without a word."
    ),
    bad="""\
version: 1
project: shop
workloads:
  sync:
    trigger: {schedule: {every: 1m, overlap: allow, catchup_window: 1d}} # <-- W405
    duration: {max: 20s}
""",
    good="""\
version: 1
project: shop
workloads:
  sync:
    trigger: {schedule: {every: 1m, overlap: allow, catchup_window: 1h}}
    duration: {max: 20s}
""",
    check=check,
)
