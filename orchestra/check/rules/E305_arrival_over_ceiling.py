"""More comes in than can be worked on."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil

from orchestra.check.facts import Facts
from orchestra.check.rule import Finding, Rule


def check(facts: Facts) -> Iterator[Finding]:
    for j in facts.judged:
        w, capacity = j.workload, j.verdict.capacity
        if capacity.headroom is None or capacity.headroom >= 1:
            continue
        rate, ceiling = capacity.arrival_per_s or 0.0, capacity.ceiling_per_s or 0.0
        wanted = ceil(w.concurrency.limit / capacity.headroom * 1.2)
        yield Finding(
            w.at("arrival.rate"),
            f"{rate:g}/s come in, and at most {ceiling:.3g}/s can be done",
            f"Write `concurrency: {{limit: {wanted}}}` or more, or make an item shorter; `orchestra explain` shows "
            "the arithmetic.",
        )


RULE = Rule(
    code="E305",
    title="More arrives than the workload can do",
    why="The queue grows without end: ever older work, then a full disk.",
    bad="""\
version: 1
project: shop
platform: {provider: supabase, plan: pro}
workloads:
  resize:
    trigger: manual
    duration: {typical: 20s, max: 40s}
    concurrency: {limit: 2}
    arrival: {rate: 1/s} # <-- E305
""",
    good="""\
version: 1
project: shop
platform: {provider: supabase, plan: pro}
workloads:
  resize:
    trigger: manual
    duration: {typical: 20s, max: 40s}
    concurrency: {limit: 40}
    arrival: {rate: 1/s}
""",
    check=check,
    judgement=True,
)
