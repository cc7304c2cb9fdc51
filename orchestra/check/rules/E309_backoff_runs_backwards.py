"""A backoff whose longest wait is its shortest."""

from __future__ import annotations

from collections.abc import Iterator

from orchestra.check.facts import Facts
from orchestra.check.rule import Finding, Rule
from orchestra.check.words import yaml_duration


def check(facts: Facts) -> Iterator[Finding]:
    for w in facts.workloads:
        b = w.retry.backoff
        if b.max_ms < b.initial_ms:
            path = "retry.backoff.max" if facts.says(w, "retry.backoff.max") else "retry.backoff.initial"
            first, most = yaml_duration(b.initial_ms), yaml_duration(b.max_ms)
            yield Finding(
                facts.origin(w, path),
                f"the first wait of {first} is longer than the longest of {most}",
                f"Write `max: {yaml_duration(b.initial_ms * 10)}`, or a lower `initial`.",
            )
        elif b.factor < 1:
            yield Finding(
                facts.origin(w, "retry.backoff.factor"),
                f"a factor of {b.factor:g} makes each wait shorter than the last",
                "Write `factor: 2`, or 1 for equal waits.",
            )


RULE = Rule(
    code="E309",
    title="The longest backoff is below the first",
    why=(
        "Every wait is cut to the maximum: the first one too, and no wait ever grows, however long an outage "
        "lasts."
    ),
    bad="""\
version: 1
project: shop
workloads:
  sync:
    trigger: manual
    duration: {max: 40s}
    retry: {backoff: {initial: 1m, max: 30s}} # <-- E309
""",
    good="""\
version: 1
project: shop
workloads:
  sync:
    trigger: manual
    duration: {max: 40s}
    retry: {backoff: {initial: 30s, max: 30m}}
""",
    check=check,
)
