"""Work that does not fit into one run."""

from __future__ import annotations

from collections.abc import Iterator

from orchestra.check.facts import Facts, Judged
from orchestra.check.rule import Finding, Rule
from orchestra.diagnostics import Span


def check(facts: Facts) -> Iterator[Finding]:
    for j in facts.judged:
        problem = j.decision.problem
        if problem is None or j.not_here or j.override_fails:
            continue
        fault, _, advice = problem.partition("; ")
        yield Finding(_longest(j), fault, advice[:1].upper() + advice[1:] + "." if advice else "")


def _longest(j: Judged) -> Span:
    w = j.workload
    for step in w.steps:
        if step.durations.max_ms > j.decision.budget_ms > 0:
            return w.at(f"steps.{step.name}.duration.max")
    return w.at("duration.max")


RULE = Rule(
    code="E301",
    title="One item takes longer than anything may run",
    why=(
        "The run is killed before it is done, is tried again, and is killed again until it ends in the dead "
        "letters."
    ),
    bad="""\
version: 1
project: shop
workloads:
  transcode:
    trigger: manual
    duration: {max: 5m} # <-- E301
""",
    good="""\
version: 1
project: shop
workloads:
  transcode:
    trigger: manual
    duration: {max: 60s}
""",
    check=check,
)
