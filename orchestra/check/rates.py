"""Rate limits against what is said to come in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from orchestra.check.facts import Facts
from orchestra.spec.model import Workload


def exceeded(facts: Facts, on_excess: Literal["queue", "drop"]) -> Iterator[tuple[Workload, float, float]]:
    """The workloads of which more comes in than may start, with what may and what comes, both a second.

    A limit for each key says nothing of the sum.
    """
    for w in facts.workloads:
        limit, rate = w.rate_limit, w.arrival.rate
        if limit is None or rate is None or limit.key is not None or limit.on_excess != on_excess:
            continue
        allowed = limit.limit * 1_000 / limit.period_ms
        if allowed < rate:
            yield w, allowed, rate
