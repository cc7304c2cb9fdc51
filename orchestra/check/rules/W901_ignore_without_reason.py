"""A comment that does not say why."""

from __future__ import annotations

from collections.abc import Iterator

from orchestra.check.facts import Facts
from orchestra.check.rule import Finding, Rule


def check(facts: Facts) -> Iterator[Finding]:
    """Comments are judged once all findings are known: see `ignores`."""
    return iter(())


RULE = Rule(
    code="W901",
    title="An ignore comment has no reason",
    why="Who reads the line in a year cannot tell whether the reason still holds.",
    bad="""\
version: 1
project: shop
workloads:
  metrics:
    trigger: manual
    duration: {max: 40s}
    # <-- W901 on the next line
    queue: {kind: unlogged} # orchestra: ignore[W304]
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
