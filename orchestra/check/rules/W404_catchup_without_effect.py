"""A window in which nothing can be caught up."""

from __future__ import annotations

from collections.abc import Iterator

from orchestra.check.facts import Facts
from orchestra.check.rule import Finding, Rule
from orchestra.check.words import yaml_duration


def check(facts: Facts) -> Iterator[Finding]:
    for s in facts.schedules:
        window = s.trigger.catchup_window_ms
        if window is not None and window < 60_000:
            yield Finding(
                s.at("catchup_window"),
                f"nothing is caught up within {yaml_duration(window)}",
                "Write at least `5m`, or remove it.",
            )


RULE = Rule(
    code="W404",
    title="`catchup_window` is too short to have an effect",
    why="Missed runs are looked for once a minute, so a shorter window finds none.",
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
