"""A limit below what comes in."""

from __future__ import annotations

from collections.abc import Iterator

from orchestra.check.facts import Facts
from orchestra.check.rates import exceeded
from orchestra.check.rule import Finding, Rule


def check(facts: Facts) -> Iterator[Finding]:
    for w, allowed, rate in exceeded(facts, "queue"):
        yield Finding(
            w.at("rate_limit.limit"),
            f"{allowed:.3g} a second may start, and {rate:g} come in",
            "Raise the limit, lower `arrival.rate` if it is not meant, or write `on_excess: drop`.",
        )


RULE = Rule(
    code="E307",
    title="The rate limit is below the arrival",
    why="Work above the limit waits, so the queue grows without end.",
    bad="""\
version: 1
project: shop
workloads:
  notify:
    trigger: manual
    duration: {max: 1s}
    concurrency: {limit: 20}
    arrival: {rate: 10/s}
    rate_limit: {limit: 300, period: 1m} # <-- E307
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
    rate_limit: {limit: 300, period: 1m}
""",
    check=check,
    judgement=True,
)
