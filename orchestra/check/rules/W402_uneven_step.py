"""A step that does not come out even."""

from __future__ import annotations

from collections.abc import Iterator

from orchestra.check.facts import Facts
from orchestra.check.rule import Finding, Rule


def check(facts: Facts) -> Iterator[Finding]:
    for s in facts.schedules:
        for step in s.cron.uneven if s.cron is not None else ():
            yield Finding(
                s.at("cron"),
                f"`{step.text}` leaves {step.last} {step.unit} after the last of each round, not {step.gap}",
                f"Choose a step that divides {60 if step.unit == 'minutes' else 24}, or list the {step.unit}.",
            )


RULE = Rule(
    code="W402",
    title="A step does not divide its field",
    why="Steps start anew in each hour or day, so the last gap is shorter than all others.",
    bad="""\
version: 1
project: shop
workloads:
  sync:
    trigger: {schedule: {cron: "*/45 * * * *"}} # <-- W402
    duration: {max: 20s}
""",
    good="""\
version: 1
project: shop
workloads:
  sync:
    trigger: {schedule: {cron: "*/30 * * * *"}}
    duration: {max: 20s}
""",
    check=check,
)
