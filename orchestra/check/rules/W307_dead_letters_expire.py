"""Dead letters that are gone before anyone looks."""

from __future__ import annotations

from collections.abc import Iterator

from orchestra.check.facts import Facts
from orchestra.check.rule import Finding, Rule
from orchestra.check.words import yaml_duration
from orchestra.classify import retry_span_s

_DAY_MS = 86_400_000


def check(facts: Facts) -> Iterator[Finding]:
    for j in facts.queues:
        w = j.workload
        kept = w.retention.failed_ms
        if kept is None:
            continue
        least = max(_DAY_MS, int(retry_span_s(w.retry) * 1_000))
        if kept < least:
            yield Finding(
                facts.origin(w, "retention.failed"),
                f"dead letters are deleted after {yaml_duration(kept)}",
                "Write `failed: 30d`, or at least as long as a failure may go unnoticed.",
            )


RULE = Rule(
    code="W307",
    title="Dead letters are kept for too short a time",
    why=(
        "What failed for good is deleted before a working day has passed; nobody can look at it or send it "
        "again."
    ),
    bad="""\
version: 1
project: shop
workloads:
  sync:
    trigger: manual
    duration: {max: 40s}
    retention: {failed: 1h} # <-- W307
""",
    good="""\
version: 1
project: shop
workloads:
  sync:
    trigger: manual
    duration: {max: 40s}
    retention: {failed: 30d}
""",
    check=check,
)
