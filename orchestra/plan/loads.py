"""The loads of two specs, from what the classifier proves of each workload."""

from __future__ import annotations

from math import ceil
from typing import Final

from orchestra import platform as limits
from orchestra.classify import classify, included_a_month
from orchestra.ir.program import Program
from orchestra.plan.load import Load, LoadChange, LoadReport, Totals
from orchestra.spec.model import Platform, Spec

_MILLION: Final = 1_000_000


def compare_loads(before: tuple[Spec, Program] | None, after: tuple[Spec, Program]) -> LoadReport:
    """Each spec comes with what it was lowered to; `before` None: there was none."""
    old = _loads(before[0]) if before else {}
    new = _loads(after[0])
    changes = (LoadChange(name, old.get(name), new.get(name)) for name in sorted({*old, *new}))
    return LoadReport(
        tuple(c for c in changes if c.before != c.after),
        _totals(before, old) if before else _nothing(after[0].platform),
        _totals(after, new),
    )


def _loads(spec: Spec) -> dict[str, Load]:
    found = {}
    for workload in spec.workloads:
        made = classify(workload, spec.platform)
        if made.pattern is None:
            continue
        proved = made.capacity
        found[workload.name] = Load(
            made.pattern,
            proved.ceiling_per_s,
            proved.arrival_per_s,
            proved.drain_burst_s,
            proved.latency_worst_s,
            proved.invocations_month,
        )
    return found


def _totals(made: tuple[Spec, Program], loads: dict[str, Load]) -> Totals:
    spec, program = made
    kinds = [resource.kind for resource in program]
    calls = sum(load.invocations_month or 0.0 for load in loads.values())
    return Totals(
        len(spec.workloads),
        kinds.count("edge_function"),
        kinds.count("cron_job"),
        calls,
        included_a_month(spec.platform),
        cost_usd_month(calls, spec.platform),
    )


def _nothing(platform: Platform) -> Totals:
    return Totals(0, 0, 0, 0.0, included_a_month(platform), cost_usd_month(0.0, platform))


def cost_usd_month(invocations: float, platform: Platform) -> float | None:
    """What these calls cost in a month, were they the organization's only ones; None where nothing is billed by the
    call or nobody can know."""
    included = included_a_month(platform)
    price = limits.EDGE[platform.plan].usd_a_million
    if included is None or price is None:
        return None
    return ceil(max(0.0, invocations - included) / _MILLION) * price
