"""A timeout that no worker can promise."""

from __future__ import annotations

from collections.abc import Iterator

from orchestra import platform as limits
from orchestra.check.facts import Facts
from orchestra.check.rule import Finding, Rule
from orchestra.check.words import yaml_duration


def check(facts: Facts) -> Iterator[Finding]:
    for j in facts.judged:
        w, budget = j.workload, j.decision.budget_ms
        if j.decision.problem is not None or budget == 0:
            continue
        if j.queue and j.edge:
            budget -= limits.EDGE_BOOT_MS + limits.EDGE_MARGIN_MS
        if w.timeout_ms > budget:
            path = "timeout" if facts.says(w, "timeout") else "duration.max"
            yield Finding(
                facts.origin(w, path),
                f"a timeout of {yaml_duration(w.timeout_ms)} is more than the {yaml_duration(budget)} that are sure",
                f"Write `timeout: {yaml_duration(budget)}` or less, and split items that take longer.",
                "" if j.edge else "The server's `statement_timeout` cancels it first, at every attempt.",
            )


RULE = Rule(
    code="E306",
    title="The timeout is longer than the time that a worker is sure of",
    why=(
        "A worker takes no item that it might not finish in its guaranteed time, so it would never take any."
    ),
    bad="""\
version: 1
project: shop
workloads:
  render:
    trigger: manual
    duration: {max: 50s}
    timeout: 2m # <-- E306
""",
    good="""\
version: 1
project: shop
workloads:
  render:
    trigger: manual
    duration: {max: 50s}
    timeout: 65s
""",
    check=check,
)
