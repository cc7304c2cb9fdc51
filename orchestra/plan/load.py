"""What the workloads of a spec can take and what they cost, before and after a change of it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Load:
    """One workload as one spec has it; None: does not apply, or nothing was declared to reckon it from."""

    pattern: str
    ceiling_per_s: float | None = None
    """Items a second at most."""
    arrival_per_s: float | None = None
    """Items a second that are declared to arrive."""
    drain_burst_s: float | None = None
    """Seconds until the declared burst is worked off."""
    latency_worst_s: float | None = None
    """Seconds until the last of the burst is done, its wake lost."""
    invocations_month: float | None = None
    """Calls of Edge Functions in 30 days."""


@dataclass(frozen=True, slots=True)
class LoadChange:
    """One workload whose load differs; `before` None: new, `after` None: removed."""

    workload: str
    before: Load | None
    after: Load | None


@dataclass(frozen=True, slots=True)
class Totals:
    """What a whole spec amounts to."""

    workloads: int
    functions: int
    cron_jobs: int
    invocations_month: float
    """Of those workloads that declare what arrives."""
    invocations_included: float | None
    """What the plan includes; None where there is none to count."""
    cost_usd_month: float | None
    """What the invocations above the included ones cost; None where the provider bills none."""


@dataclass(frozen=True, slots=True)
class LoadReport:
    """Only workloads that differ are listed, in order of name."""

    changes: tuple[LoadChange, ...]
    before: Totals
    after: Totals
