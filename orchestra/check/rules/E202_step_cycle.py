"""Steps that wait for each other."""

from __future__ import annotations

from collections.abc import Iterator

from orchestra.check.facts import Facts
from orchestra.check.graph import cycles, way
from orchestra.check.rule import Finding, Rule


def check(facts: Facts) -> Iterator[Finding]:
    for w in facts.pipelines:
        edges = {s.name: (*s.depends_on, *((s.map,) if s.map else ())) for s in w.steps}
        for circle in cycles(edges):
            yield Finding(
                w.at(f"steps.{circle[0]}.depends_on"),
                f"steps wait for each other: {way(circle)}",
                f"Take one name out of a `depends_on`; what `{circle[0]}` needs must not need it.",
            )


RULE = Rule(
    code="E202",
    title="Steps depend on each other in a circle",
    why="Each step of the circle waits for the one before it, so no run of this pipeline ever ends.",
    bad="""\
version: 1
project: shop
workloads:
  report:
    trigger: manual
    steps:
      collect: {depends_on: [publish], duration: {max: 20s}} # <-- E202
      publish: {depends_on: [collect], duration: {max: 10s}}
""",
    good="""\
version: 1
project: shop
workloads:
  report:
    trigger: manual
    steps:
      collect: {duration: {max: 20s}}
      publish: {depends_on: [collect], duration: {max: 10s}}
""",
    check=check,
)
