"""A timeout below what the work may take."""

from __future__ import annotations

from collections.abc import Iterator

from orchestra.check.facts import Facts
from orchestra.check.rule import Finding, Rule
from orchestra.check.words import yaml_duration


def check(facts: Facts) -> Iterator[Finding]:
    for w in facts.workloads:
        longest = max(s.durations.max_ms for s in w.steps) if w.steps else w.durations.max_ms
        if w.timeout_ms < longest:
            timeout, most = yaml_duration(w.timeout_ms), yaml_duration(longest)
            yield Finding(
                facts.origin(w, "timeout"),
                f"a timeout of {timeout} aborts `{w.name}`, whose items take up to {most}",
                f"Write `timeout: {most}` or more, or lower `duration.max` if {most} is not meant.",
            )


RULE = Rule(
    code="E304",
    title="The timeout is shorter than the longest item",
    why=(
        "Items that take their declared time are aborted, tried again and aborted again, until they end in "
        "the dead letters."
    ),
    bad="""\
version: 1
project: shop
workloads:
  render:
    trigger: manual
    duration: {max: 40s}
    timeout: 30s # <-- E304
""",
    good="""\
version: 1
project: shop
workloads:
  render:
    trigger: manual
    duration: {max: 40s}
    timeout: 45s
""",
    check=check,
)
