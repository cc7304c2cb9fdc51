"""A step maps over a step that it does not wait for."""

from __future__ import annotations

from collections.abc import Iterator

from orchestra.check.facts import Facts
from orchestra.check.rule import Finding, Rule


def check(facts: Facts) -> Iterator[Finding]:
    for w in facts.pipelines:
        for step in w.steps:
            if step.map is not None and step.map not in step.depends_on:
                after = ", ".join((*step.depends_on, step.map))
                yield Finding(
                    w.at(f"steps.{step.name}.map"),
                    f"step `{step.name}` maps `{step.map}` without depending on it",
                    f"Write `depends_on: [{after}]` beside it.",
                )


RULE = Rule(
    code="E203",
    title="A mapped step does not depend on the step that it maps",
    why=(
        "A mapped step has one item for each element of a result; without waiting for it there is nothing to "
        "take apart."
    ),
    bad="""\
version: 1
project: shop
workloads:
  report:
    trigger: manual
    steps:
      collect: {duration: {max: 20s}}
      render: {map: collect, duration: {max: 10s}} # <-- E203
""",
    good="""\
version: 1
project: shop
workloads:
  report:
    trigger: manual
    steps:
      collect: {duration: {max: 20s}}
      render: {depends_on: [collect], map: collect, duration: {max: 10s}}
""",
    check=check,
)
