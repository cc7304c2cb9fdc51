"""A comment that silences nothing."""

from __future__ import annotations

from collections.abc import Iterator

from orchestra.check.facts import Facts
from orchestra.check.rule import Finding, Rule


def check(facts: Facts) -> Iterator[Finding]:
    """Comments are judged once all findings are known: see `ignores`."""
    return iter(())


RULE = Rule(
    code="W902",
    title="An ignore comment silences nothing",
    why="What silences nothing today may silence tomorrow what it was not written for.",
    bad="""\
version: 1
project: shop
workloads:
  metrics:
    trigger: manual
    duration: {max: 40s}
    queue: {kind: standard} # orchestra: ignore[W304] counters, rebuilt every night # <-- W902
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
