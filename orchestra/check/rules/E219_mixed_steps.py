"""A pipeline whose steps run in two places."""

from __future__ import annotations

from collections.abc import Iterator

from orchestra.check.facts import Facts
from orchestra.check.rule import Finding, Rule
from orchestra.spec.model import SqlHandler


def check(facts: Facts) -> Iterator[Finding]:
    for w in facts.pipelines:
        in_sql = [s for s in w.steps if isinstance(s.handler, SqlHandler)]
        if in_sql and len(in_sql) < len(w.steps):
            for step in in_sql:
                yield Finding(
                    w.at(f"steps.{step.name}"),
                    f"step `{step.name}` runs in SQL, others of `{w.name}` in an Edge Function",
                    "Give all steps `run: {sql: …}` or none; an Edge step reaches the database through its context "
                    "(`context.sql`).",
                )


RULE = Rule(
    code="E219",
    title="Steps of one pipeline run in SQL and in an Edge Function",
    why=(
        "All tasks of a pipeline wait in one queue, and `concurrency.limit` counts its handlers: workers of two "
        "sorts would take each other's tasks and count apart."
    ),
    bad="""\
version: 1
project: shop
workloads:
  report:
    trigger: manual
    steps:
      collect: {duration: {max: 20s}, run: {sql: "select app.collect()"}} # <-- E219
      render: {depends_on: [collect], duration: {max: 20s}}
""",
    good="""\
version: 1
project: shop
workloads:
  report:
    trigger: manual
    steps:
      collect: {duration: {max: 20s}, run: {sql: "select app.collect()"}}
      render: {depends_on: [collect], duration: {max: 20s}, run: {sql: "select app.render(:payload)"}}
""",
    check=check,
)
