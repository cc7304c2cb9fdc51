"""A pattern that the workload cannot have."""

from __future__ import annotations

from collections.abc import Iterator

from orchestra.check.facts import Facts
from orchestra.check.rule import Finding, Rule


def check(facts: Facts) -> Iterator[Finding]:
    for j in facts.judged:
        if j.override_fails and not j.not_here:
            fault, _, instead = str(j.decision.problem).rpartition("; ")
            help = f"Remove `pattern`: {instead}." if fault else "Remove `pattern`."
            yield Finding(j.workload.at("pattern"), fault or instead, help)


RULE = Rule(
    code="E323",
    title="`pattern` asks for what is not feasible",
    why="The override asks for something that would not work for even one item.",
    bad="""\
version: 1
project: shop
workloads:
  sync:
    trigger: manual
    duration: {max: 10s}
    pattern: wait_until # <-- E323
""",
    good="""\
version: 1
project: shop
workloads:
  sync:
    trigger: manual
    duration: {max: 10s}
""",
    check=check,
)
