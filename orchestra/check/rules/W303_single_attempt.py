"""One attempt, and batches that it rules out."""

from __future__ import annotations

from collections.abc import Iterator

from orchestra.check.facts import Facts
from orchestra.check.rule import Finding, Rule


def check(facts: Facts) -> Iterator[Finding]:
    for j in facts.queues:
        w = j.workload
        if not j.sql and w.retry.max_attempts == 1 and "batch_size" in w.written and w.batch_size > 1:
            yield Finding(
                facts.origin(w, "retry.max_attempts"),
                f"batches of {w.batch_size} have no effect with one attempt",
                "Write `max_attempts: 2` and an `idempotency_key`, or `batch_size: 1`.",
            )


RULE = Rule(
    code="W303",
    title="`max_attempts: 1` takes messages one by one",
    why=(
        "With one attempt a message must not share the fate of another, so each is claimed alone; and a "
        "worker that dies, for whatever reason, sends it to the dead letters."
    ),
    bad="""\
version: 1
project: shop
workloads:
  charge:
    trigger: manual
    duration: {max: 40s}
    batch_size: 50
    retry: {max_attempts: 1} # <-- W303
""",
    good="""\
version: 1
project: shop
workloads:
  charge:
    trigger: manual
    duration: {max: 40s}
    batch_size: 50
    retry: {max_attempts: 3}
""",
    check=check,
)
