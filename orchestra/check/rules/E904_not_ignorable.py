"""A comment against an error."""

from __future__ import annotations

from collections.abc import Iterator

from orchestra.check.facts import Facts
from orchestra.check.rule import Finding, Rule


def check(facts: Facts) -> Iterator[Finding]:
    """Comments are judged once all findings are known: see `ignores`."""
    return iter(())


RULE = Rule(
    code="E904",
    title="An ignore comment names an error that cannot be ignored",
    why="What the error reports would not work in production; a comment does not change that.",
    bad="""\
version: 1
project: shop
workloads:
  metrics:
    trigger: manual
    duration: {max: 40s}
    queue: {kind: standard} # orchestra: ignore[E301] it is fast enough # <-- E904
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
