"""A comment with a code that there is not."""

from __future__ import annotations

from collections.abc import Iterator

from orchestra.check.facts import Facts
from orchestra.check.rule import Finding, Rule


def check(facts: Facts) -> Iterator[Finding]:
    """Comments are judged once all findings are known: see `ignores`."""
    return iter(())


RULE = Rule(
    code="E903",
    title="An ignore comment names no known code",
    why="A comment with a mistyped code, or with none, silences nothing that it was meant to.",
    bad="""\
version: 1
project: shop
workloads:
  metrics:
    trigger: manual
    duration: {max: 40s}
    queue: {kind: standard} # orchestra: ignore[W3O4] counters, rebuilt every night # <-- E903
""",
    good="""\
version: 1
project: shop
workloads:
  metrics:
    trigger: manual
    duration: {max: 40s}
    queue: {kind: unlogged} # orchestra: ignore[W304] counters, rebuilt every night
""",
    check=check,
)
