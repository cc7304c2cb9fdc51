"""A pattern that gives something up."""

from __future__ import annotations

from collections.abc import Iterator

from orchestra.check.facts import Facts
from orchestra.check.rule import Finding, Rule


def check(facts: Facts) -> Iterator[Finding]:
    for j in facts.judged:
        # What a queue costs in latency is the price of what it gives; only guarantees are worth a warning.
        if j.decision.given_up and not j.queue:
            lost = [reason.partition(":")[0] for reason in j.decision.given_up]
            yield Finding(
                j.workload.at("pattern"),
                f"`pattern: {j.pattern}` gives up {', '.join(lost)}",
                "Remove `pattern` to keep them, or say in an ignore comment why they are not needed.",
                "; ".join(j.decision.given_up) + ".",
            )


RULE = Rule(
    code="W301",
    title="`pattern` gives up guarantees",
    why=(
        "The classifier would have kept what the override gives up; whoever reads the spec should know that "
        "it was meant."
    ),
    bad="""\
version: 1
project: shop
workloads:
  relay:
    trigger: {http: {auth: secret}}
    duration: {max: 40s}
    pattern: wait_until # <-- W301
""",
    good="""\
version: 1
project: shop
workloads:
  relay:
    trigger: {http: {auth: secret}}
    duration: {max: 40s}
    payload_schema: ./payloads/product.json
""",
    check=check,
)
