"""A step names a step that the pipeline does not have."""

from __future__ import annotations

from collections.abc import Iterator

from orchestra.check.facts import Facts
from orchestra.check.rule import Finding, Rule
from orchestra.check.words import did_you_mean, listed


def check(facts: Facts) -> Iterator[Finding]:
    for w in facts.pipelines:
        names = {s.name for s in w.steps}
        for step in w.steps:
            places = [(d, f"depends_on.{i}") for i, d in enumerate(step.depends_on)]
            places += [(step.map, "map")] if step.map is not None else []
            for name, path in places:
                if name not in names:
                    others = names - {step.name}
                    known = (
                        f"The other steps are {listed(sorted(others))}." if others else "It is the only step."
                    )
                    yield Finding(
                        w.at(f"steps.{step.name}.{path}"),
                        f"`{w.name}` has no step `{name}`",
                        did_you_mean(name, others, known),
                    )


RULE = Rule(
    code="E201",
    title="A step that is named does not exist",
    why="The pipeline would wait for ever for a step that never completes.",
    bad="""\
version: 1
project: shop
workloads:
  report:
    trigger: manual
    steps:
      collect: {duration: {max: 20s}}
      publish: {depends_on: [colect], duration: {max: 10s}} # <-- E201
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
