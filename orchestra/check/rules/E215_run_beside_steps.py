"""A handler beside a pipeline."""

from __future__ import annotations

from collections.abc import Iterator

from orchestra.check.facts import Facts
from orchestra.check.rule import Finding, Rule
from orchestra.spec.model import SqlHandler


def check(facts: Facts) -> Iterator[Finding]:
    for w in facts.pipelines:
        if isinstance(w.handler, SqlHandler):
            yield Finding(
                w.at("run", key=True),
                f"`run` is never used: `{w.name}` is a pipeline",
                "Move it into one of the steps, or remove `steps`.",
            )


RULE = Rule(
    code="E215",
    title="`run` stands beside `steps`",
    why="A pipeline runs its steps; a statement beside them would never run, without a word.",
    bad="""\
version: 1
project: shop
workloads:
  report:
    trigger: manual
    run: {sql: "select app.report()"} # <-- E215
    steps:
      collect: {duration: {max: 20s}}
""",
    good="""\
version: 1
project: shop
workloads:
  report:
    trigger: manual
    steps:
      collect: {duration: {max: 20s}, run: {sql: "select app.report()"}}
""",
    check=check,
)
