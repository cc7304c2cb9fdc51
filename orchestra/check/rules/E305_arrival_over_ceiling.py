"""More comes in than can be worked on."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil

from orchestra.check.facts import Facts
from orchestra.check.rule import Finding, Rule
from orchestra.classify import arithmetic


def check(facts: Facts) -> Iterator[Finding]:
    for j in facts.queues:
        w, rate = j.workload, j.workload.arrival.rate
        if not rate:
            continue
        most = arithmetic(w, j.platform).ceiling_per_s
        headroom = most / rate
        if headroom >= 1:
            continue
        wanted = ceil(w.concurrency.limit / headroom * 1.2)
        yield Finding(
            w.at("arrival.rate"),
            f"{rate:g}/s come in, and at most {most:.3g}/s can be done",
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
