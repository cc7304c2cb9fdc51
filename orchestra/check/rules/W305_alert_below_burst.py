"""An alert that normal work sets off."""

from __future__ import annotations

from collections.abc import Iterator

from orchestra.check.facts import Facts
from orchestra.check.rule import Finding, Rule


def check(facts: Facts) -> Iterator[Finding]:
    for w in facts.workloads:
        burst = max(w.arrival.burst or 0, w.fan_out.typical or 0 if w.fan_out else 0)
        depth = w.alerts.max_depth
        if depth is not None and burst > depth:
            yield Finding(
                w.at("alerts.max_depth"),
                f"an expected burst of {burst} messages is above the alert at {depth}",
                f"Write `max_depth: {burst * 2}`, and `max_age` to notice that work does not get done.",
            )


RULE = Rule(
    code="W305",
    title="`alerts.max_depth` is below the declared burst",
    why="It fires at every burst that the spec itself expects, until nobody looks at it any more.",
    bad="""\
version: 1
project: shop
workloads:
  import:
    summary: Import a catalogue
    trigger: manual
    duration: {max: 40s}
    arrival: {burst: 50000}
    alerts: {max_depth: 10000} # <-- W305
""",
    good="""\
version: 1
project: shop
workloads:
  import:
    summary: Import a catalogue
    trigger: manual
    duration: {max: 40s}
    arrival: {burst: 50000}
    alerts: {max_depth: 100000}
""",
    check=check,
)
