"""A key that the workload's pattern cannot honour."""

from __future__ import annotations

from collections.abc import Iterator

from orchestra.check.facts import Facts, Judged
from orchestra.check.rule import Finding, Rule
from orchestra.classify import features

_OF_WORKERS = ("batch_size", "concurrency.per_worker", "linger")
"""What is said to an isolate. A statement is given one message at a time."""

_UNCHECKED = "`payload_schema` has no effect on a SQL handler that no HTTP request starts"
_UNCHECKED_HELP = (
    "Remove it: payloads are checked where they come in by HTTP and where an Edge Function takes them; what SQL "
    "sends to SQL, the statement or a constraint of its table has to refuse."
)


def check(facts: Facts) -> Iterator[Finding]:
    for j in facts.judged:
        keys = [k for k in j.ignored if k != "retry" or j.pattern != "wait_until"]
        if j.queue and j.sql:
            keys += [k for k in _OF_WORKERS if k in j.workload.written]
        if j.sql and j.workload.payload_schema is not None and not features.has_door(j.workload):
            keys.append("payload_schema")
        for key in dict.fromkeys(keys):
            if key == "payload_schema":
                yield Finding(j.workload.at(key, key=True), _UNCHECKED, _UNCHECKED_HELP)
                continue
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
