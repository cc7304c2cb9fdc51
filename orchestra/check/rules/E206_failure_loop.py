"""Workloads that hand their failures to each other."""

from __future__ import annotations

from collections.abc import Iterator

from orchestra.check.facts import Facts
from orchestra.check.graph import cycles, way
from orchestra.check.rule import Finding, Rule


def check(facts: Facts) -> Iterator[Finding]:
    edges = {w.name: (w.on_failure,) for w in facts.workloads if w.on_failure is not None}
    for circle in cycles(edges):
        yield Finding(
            facts.by_name[circle[0]].workload.at("on_failure"),
            f"failures go round: {way(circle)}",
            "Let the last of them keep its dead letters: remove its `on_failure`.",
        )


RULE = Rule(
    code="E206",
    title="`on_failure` goes round in a circle",
    why="A message that nobody can handle would go round for ever, at full speed.",
    bad="""\
version: 1
project: shop
workloads:
  import:
    trigger: manual
    duration: {max: 40s}
    on_failure: import # <-- E206
""",
    good="""\
version: 1
project: shop
workloads:
  import:
    trigger: manual
    duration: {max: 40s}
""",
    check=check,
)
