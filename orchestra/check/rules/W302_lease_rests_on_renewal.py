"""A lease shorter than the handler."""

from __future__ import annotations

from collections.abc import Iterator

from orchestra.check.facts import Facts
from orchestra.check.rule import Finding, Rule
from orchestra.check.words import yaml_duration


def check(facts: Facts) -> Iterator[Finding]:
    for j in facts.queues:
        w = j.workload
        if not j.sql and 5_000 <= w.visibility_timeout_ms <= w.timeout_ms:
            lease, timeout = yaml_duration(w.visibility_timeout_ms), yaml_duration(w.timeout_ms)
            enough = yaml_duration(w.timeout_ms + 30_000)
            yield Finding(
                facts.origin(w, "visibility_timeout"),
                f"a lease of {lease} for handlers of up to {timeout} rests on its renewal alone",
                f"Write `visibility_timeout: {enough}`, or remove it: the default is the timeout and 30 s.",
            )


RULE = Rule(
    code="W302",
    title="The lease is no longer than the timeout",
    why=(
        "One renewal that comes late, behind a blocked event loop or a slow connection, and the item runs a "
        "second time beside the first."
    ),
    bad="""\
version: 1
project: shop
workloads:
  render:
    trigger: manual
    duration: {max: 50s}
    visibility_timeout: 30s # <-- W302
""",
    good="""\
version: 1
project: shop
workloads:
  render:
    trigger: manual
    duration: {max: 50s}
    visibility_timeout: 80s
""",
    check=check,
)
