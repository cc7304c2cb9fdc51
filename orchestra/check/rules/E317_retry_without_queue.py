"""Retries where nothing repeats."""

from __future__ import annotations

from collections.abc import Iterator

from orchestra.check.facts import Facts
from orchestra.check.rule import Finding, Rule


def check(facts: Facts) -> Iterator[Finding]:
    for j in facts.judged:
        if j.pattern == "wait_until" and "retry" in j.ignored:
            yield Finding(
                j.workload.at("retry", key=True),
                f"nothing retries `{j.workload.name}`: it runs behind its HTTP response",
                "Write `pattern: queue` to have it retried, or remove `retry`.",
            )


RULE = Rule(
    code="E317",
    title="`retry` is written where nothing retries",
    why=(
        "Work behind an HTTP response is lost when it fails: the caller has its 200, and nothing calls again."
    ),
    bad="""\
version: 1
project: shop
workloads:
  relay:
    trigger: {http: {auth: secret}}
    duration: {max: 10s}
    retry: {max_attempts: 3} # <-- E317
""",
    good="""\
version: 1
project: shop
workloads:
  relay:
    trigger: {http: {auth: secret}}
    duration: {max: 10s}
    retry: {max_attempts: 3}
    pattern: queue
    payload_schema: ./payloads/product.json
""",
    check=check,
)
