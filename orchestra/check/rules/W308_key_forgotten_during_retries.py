"""A key that is forgotten while its item is still tried."""

from __future__ import annotations

from collections.abc import Iterator

from orchestra.check.facts import Facts
from orchestra.check.rule import Finding, Rule
from orchestra.check.words import rounded_up, yaml_duration


def check(facts: Facts) -> Iterator[Finding]:
    for j in facts.judged:
        key = j.workload.idempotency_key
        span = None if key is None else j.capacity.retry_span_s
        if key is not None and span is not None and key.ttl_ms < span * 1_000:
            retries = rounded_up(span * 1_000)
            yield Finding(
                j.workload.at("idempotency_key.ttl"),
                f"the key is forgotten after {yaml_duration(key.ttl_ms)}, and retries go on for up to {retries}",
                f"Write a `ttl` above {retries}, or fewer attempts.",
            )


RULE = Rule(
    code="W308",
    title="An idempotency key is forgotten before the last attempt",
    why=(
        "The same item is accepted a second time while the first is still being retried, and is done twice."
    ),
    bad="""\
version: 1
project: shop
workloads:
  charge:
    trigger: manual
    duration: {max: 40s}
    retry: {max_attempts: 10, backoff: {initial: 1m, max: 1h}}
    idempotency_key: {key: order_id, ttl: 10m} # <-- W308
""",
    good="""\
version: 1
project: shop
workloads:
  charge:
    trigger: manual
    duration: {max: 40s}
    retry: {max_attempts: 10, backoff: {initial: 1m, max: 1h}}
    idempotency_key: {key: order_id, ttl: 7d}
""",
    check=check,
)
