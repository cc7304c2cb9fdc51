"""A statement that holds a job for too long."""

from __future__ import annotations

from collections.abc import Iterator

from orchestra import platform as limits
from orchestra.check.facts import Facts
from orchestra.check.rule import Finding, Rule
from orchestra.check.words import yaml_duration


def check(facts: Facts) -> Iterator[Finding]:
    for j in facts.judged:
        longest = j.workload.durations.max_ms
        if j.decision.problem is None and j.sql and longest > limits.CRON_ADVISED_RUN_MS:
            most = yaml_duration(limits.CRON_ADVISED_RUN_MS)
            yield Finding(
                j.workload.at("duration.max"),
                f"one run of up to {yaml_duration(longest)}; a cron job is advised to stay under {most}",
                "Work on a part of the rows in each run.",
            )


RULE = Rule(
    code="W315",
    title="A scheduled statement runs longer than a cron job should",
    why=(
        "A job that runs for longer holds its connection, old row versions and locks meanwhile; vacuum waits "
        "for it."
    ),
    bad="""\
version: 1
project: shop
platform: {provider: postgres}
workloads:
  rebuild:
    trigger: {schedule: {every: 1d}}
    duration: {max: 30m} # <-- W315
    run: {sql: "select app.rebuild()"}
""",
    good="""\
version: 1
project: shop
platform: {provider: postgres}
workloads:
  rebuild:
    trigger: {schedule: {every: 1d}}
    duration: {max: 8m}
    run: {sql: "select app.rebuild()"}
""",
    check=check,
)
