"""An Edge Function where there are none."""

from __future__ import annotations

from collections.abc import Iterator

from orchestra.check.facts import Facts
from orchestra.check.rule import Finding, Rule
from orchestra.spec.model import EdgeHandler


def check(facts: Facts) -> Iterator[Finding]:
    if facts.spec.platform.provider == "supabase":
        return
    for w in facts.workloads:
        edge = [s.name for s in w.steps if isinstance(s.handler, EdgeHandler)]
        whole = not w.steps and isinstance(w.handler, EdgeHandler)
        for path in [f"steps.{name}" for name in edge] or ([""] if whole else []):
            yield Finding(
                w.at(path, key=True),
                "`provider: postgres` has no Edge Functions",
                'Give it a handler in SQL: `run: {sql: "select app.my_function(:payload)"}`.',
            )


RULE = Rule(
    code="E322",
    title="An Edge handler on plain Postgres",
    why="Nothing would ever take a message from its queue.",
    bad="""\
version: 1
project: shop
platform: {provider: postgres}
workloads:
  relay: # <-- E322
    trigger: manual
    duration: {max: 10s}
""",
    good="""\
version: 1
project: shop
platform: {provider: postgres}
workloads:
  relay:
    trigger: manual
    duration: {max: 10s}
    run: {sql: "select app.relay(:payload)"}
""",
    check=check,
)
