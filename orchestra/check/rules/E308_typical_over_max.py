"""What is usual is more than what is possible."""

from __future__ import annotations

from collections.abc import Iterator

from orchestra.check.facts import Facts
from orchestra.check.rule import Finding, Rule
from orchestra.check.words import yaml_duration


def check(facts: Facts) -> Iterator[Finding]:
    for w in facts.workloads:
        units = [(f"steps.{s.name}.duration", s.durations) for s in w.steps] or [("duration", w.durations)]
        for path, d in units:
            if d.typical_ms is not None and d.typical_ms > d.max_ms:
                usual, most = yaml_duration(d.typical_ms), yaml_duration(d.max_ms)
                yield Finding(
                    w.at(f"{path}.typical"),
                    f"an item usually takes {usual}, and never more than {most}",
                    f"Write `max: {usual}` or more, or a lower `typical`.",
                )
        fan = w.fan_out
        if fan is not None and fan.typical is not None and fan.typical > fan.max:
            yield Finding(
                w.at("fan_out.typical"),
                f"a request usually brings {fan.typical} items, and never more than {fan.max}",
                f"Write `max: {fan.typical}` or more, or a lower `typical`.",
            )


RULE = Rule(
    code="E308",
    title="A typical value is above its maximum",
    why=(
        "Timeout and lease follow from the maximum, capacity from the typical value; one of the two is wrong."
    ),
    bad="""\
version: 1
project: shop
workloads:
  render:
    trigger: manual
    duration: {typical: 50s, max: 40s} # <-- E308
""",
    good="""\
version: 1
project: shop
workloads:
  render:
    trigger: manual
    duration: {typical: 20s, max: 40s}
""",
    check=check,
)
