"""An alert that does not say what is broken."""

from __future__ import annotations

from collections.abc import Iterator

from orchestra.check.facts import Facts
from orchestra.check.rule import Finding, Rule


def check(facts: Facts) -> Iterator[Finding]:
    for w in facts.workloads:
        if not w.summary and (w.alerts.max_age_ms is not None or w.alerts.max_depth is not None):
            yield Finding(
                w.at("alerts", key=True),
                f"`{w.name}` has alerts and no `summary`",
                "Write `summary:` with what the work does, in one line.",
            )


RULE = Rule(
    code="W204",
    title="A workload with alerts has no summary",
    why=(
        "Whoever is woken by it sees a name and a number, and has to read the code to know whether it can "
        "wait."
    ),
    bad="""\
version: 1
project: shop
workloads:
  sync-b2:
    trigger: manual
    duration: {max: 40s}
    alerts: {max_age: 30m} # <-- W204
""",
    good="""\
version: 1
project: shop
workloads:
  sync-b2:
    summary: Copy new invoices to the archive; can wait until morning
    trigger: manual
    duration: {max: 40s}
    alerts: {max_age: 30m}
""",
    check=check,
)
