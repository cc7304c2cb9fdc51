"""A key that the workload's pattern cannot honour."""

from __future__ import annotations

from collections.abc import Iterator

from orchestra.check.facts import Facts, Judged
from orchestra.check.rule import Finding, Rule

_OF_WORKERS = ("batch_size", "concurrency.per_worker", "linger")
"""What is said to an isolate. A statement is given one message at a time."""


def check(facts: Facts) -> Iterator[Finding]:
    for j in facts.judged:
        keys = [k for k in j.ignored if k != "retry" or j.pattern != "wait_until"]
        if j.queue and j.sql:
            keys += [k for k in _OF_WORKERS if k in j.workload.written]
        for key in dict.fromkeys(keys):
            name = "a queue with a SQL handler" if j.queue else str(j.pattern)
            yield Finding(j.workload.at(key, key=True), f"`{key}` has no effect on {name}", _help(j))


def _help(j: Judged) -> str:
    if j.queue:
        return "Remove it: a SQL consumer takes one message at a time; `concurrency.limit` is how many consumers."
    return "Remove it, or write `pattern: queue`."


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
