"""A limit that throws work away."""

from __future__ import annotations

from collections.abc import Iterator

from orchestra.check.facts import Facts
from orchestra.check.rates import exceeded
from orchestra.check.rule import Finding, Rule


def check(facts: Facts) -> Iterator[Finding]:
    for w, allowed, rate in exceeded(facts, "drop"):
        yield Finding(
            w.at("rate_limit.on_excess"),
            f"{rate:g} items a second come in and {allowed:.3g} may start: {1 - allowed / rate:.0%} are discarded",
            "Raise the limit, or say in an ignore comment that they may be lost.",
        )


RULE = Rule(
    code="W314",
    title="The rate limit discards expected work",
    why="Items above the limit are discarded, and the spec expects more than the limit.",
    bad="""\
version: 1
project: shop
workloads:
  notify:
    trigger: manual
    duration: {max: 1s}
    concurrency: {limit: 20}
    arrival: {rate: 10/s}
    rate_limit: {limit: 300, period: 1m, on_excess: drop} # <-- W314
""",
    good="""\
version: 1
project: shop
workloads:
  notify:
    trigger: manual
    duration: {max: 1s}
    concurrency: {limit: 20}
    arrival: {rate: 4/s}
    rate_limit: {limit: 300, period: 1m, on_excess: drop}
""",
    check=check,
)
