"""Two doors in one workload."""

from __future__ import annotations

from collections.abc import Iterator

from orchestra.check.facts import Facts
from orchestra.check.rule import Finding, Rule
from orchestra.spec.model import HttpTrigger


def check(facts: Facts) -> Iterator[Finding]:
    for w in facts.workloads:
        if len(w.triggers) < 2:
            continue
        for again in [t for t in w.triggers if isinstance(t, HttpTrigger)][1:]:
            yield Finding(
                w.at(again.path),
                f"`{w.name}` has an `http` trigger already",
                "Keep one, and give the other callers a workload of their own.",
            )


RULE = Rule(
    code="E216",
    title="A workload has several `http` triggers",
    why="A workload has one function at one address, so only one way to sign in can hold there.",
    bad="""\
version: 1
project: shop
workloads:
  relay:
    trigger: [{http: {auth: jwt}}, {http: {auth: secret}}] # <-- E216
    duration: {max: 10s}
""",
    good="""\
version: 1
project: shop
workloads:
  relay:
    trigger: {http: {auth: secret}}
    duration: {max: 10s}
""",
    check=check,
)
