"""An item that uses up an isolate."""

from __future__ import annotations

from collections.abc import Iterator

from orchestra import platform as limits
from orchestra.check.facts import Facts
from orchestra.check.rule import Finding, Rule
from orchestra.check.words import yaml_duration


def check(facts: Facts) -> Iterator[Finding]:
    for j in facts.judged:
        w = j.workload
        if not j.edge:
            continue
        units = [(f"steps.{s.name}.duration", s.durations) for s in w.steps] or [("duration", w.durations)]
        for path, d in units:
            if d.cpu_ms > limits.EDGE_CPU_MS:
                yield Finding(
                    w.at(f"{path}.cpu"),
                    f"{yaml_duration(d.cpu_ms)} of CPU is more than the "
                    f"{yaml_duration(limits.EDGE_CPU_MS)} that a request has",
                    "Split the item, or do the heavy part in SQL or elsewhere.",
                )


RULE = Rule(
    code="E321",
    title="One item needs more CPU than an isolate has",
    why="The isolate is killed at 2 s of CPU, in the middle of the item, each time it is tried.",
    bad="""\
version: 1
project: shop
workloads:
  hash:
    trigger: manual
    duration: {max: 20s, cpu: 3s} # <-- E321
""",
    good="""\
version: 1
project: shop
workloads:
  hash:
    trigger: manual
    duration: {max: 20s, cpu: 300ms}
""",
    check=check,
)
