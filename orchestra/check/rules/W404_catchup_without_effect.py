"""A window that is shorter than what is looked at anyway."""

from __future__ import annotations

from collections.abc import Iterator

from orchestra.check.facts import Facts
from orchestra.check.rule import Finding, Rule
from orchestra.check.words import yaml_duration

_LEAST_MS = 600_000


def check(facts: Facts) -> Iterator[Finding]:
    for s in facts.schedules:
        window = s.trigger.catchup_window_ms
        if window is not None and window < _LEAST_MS:
            yield Finding(
                s.at("catchup_window"),
                f"runs are made up for within {yaml_duration(_LEAST_MS)} anyway, not {yaml_duration(window)}",
                "Write at least `10m`, or remove it; let the statement look at the time where a late run does harm.",
            )


RULE = Rule(
    code="W404",
    title="`catchup_window` is shorter than it can be kept",
    why="What is due is looked for up to ten minutes back in any case, so a run may come later than this window says.",
    bad="""\
version: 1
project: shop
workloads:
  report:
    trigger: {schedule: {cron: "0 3 * * *", catchup_window: 30s}} # <-- W404
    duration: {max: 20s}
""",
    good="""\
version: 1
project: shop
workloads:
  report:
    trigger: {schedule: {cron: "0 3 * * *", catchup_window: 2h}}
    duration: {max: 20s}
""",
    check=check,
)
