"""A key that only a queue can honour."""

from __future__ import annotations

from collections.abc import Iterator

from orchestra.check.facts import Facts
from orchestra.check.rule import Finding, Rule


def check(facts: Facts) -> Iterator[Finding]:
    for j in facts.judged:
        for key in j.verdict.ignored:
            if key == "retry" and j.pattern == "wait_until":
                continue
            help = (
                "Remove it: only an Edge worker lingers."
                if j.queue
                else "Remove it, or write `pattern: queue`."
            )
            name = "a queue with a SQL handler" if j.queue else str(j.pattern)
            yield Finding(j.workload.at(key, key=True), f"`{key}` has no effect on {name}", help)


RULE = Rule(
    code="E318",
    title="A key has no effect for this pattern",
    why="It would be read as if it were in force; in an incident someone relies on it.",
    bad="""\
version: 1
project: shop
workloads:
  relay:
    trigger: {http: {auth: secret}}
    duration: {max: 10s}
    concurrency: {limit: 4} # <-- E318
""",
    good="""\
version: 1
project: shop
workloads:
  relay:
    trigger: {http: {auth: secret}}
    duration: {max: 10s}
    concurrency: {limit: 4}
    pattern: queue
    payload_schema: ./payloads/product.json
""",
    check=check,
)
