"""A run that usually lasts longer than its period."""

from __future__ import annotations

from collections.abc import Iterator

from orchestra.check.facts import Facts
from orchestra.check.rule import Finding, Rule
from orchestra.check.words import yaml_duration


def check(facts: Facts) -> Iterator[Finding]:
    for s in facts.schedules:
        period, usual = s.period_ms, s.workload.durations.typical_ms
        if period is not None and usual is not None and usual > period and s.trigger.overlap != "allow":
            yield Finding(
                s.at("every" if s.trigger.every_ms else "cron"),
                f"a run usually takes {yaml_duration(usual)}, and one is due after {yaml_duration(period)}",
                f"Let it run no more often than every {yaml_duration(usual)}, or make a run shorter.",
            )


RULE = Rule(
    code="E410",
    title="A run usually lasts longer than its period",
    why=(
        "Each run is still going on when the next is due; runs are skipped for ever, or pile up behind each "
        "other."
    ),
    bad="""\
version: 1
project: shop
workloads:
  sync:
    trigger: {schedule: {every: 10s}} # <-- E410
    duration: {typical: 20s, max: 40s}
    run: {sql: "select app.sync()"}
""",
    good="""\
version: 1
project: shop
workloads:
  sync:
    trigger: {schedule: {every: 1m}}
    duration: {typical: 20s, max: 40s}
    run: {sql: "select app.sync()"}
""",
    check=check,
    judgement=True,
)
