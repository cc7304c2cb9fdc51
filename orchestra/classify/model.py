"""What the classifier answers: the pattern, why, and what the numbers prove."""

from __future__ import annotations

from dataclasses import dataclass

from orchestra.spec.model import Pattern


@dataclass(frozen=True, slots=True)
class Reason:
    """One step of the decision, in a sentence, with the numbers it used (`{"max_ms": 30000, "limit_ms": 30000}`)."""

    text: str
    numbers: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Capacity:
    """What a queue can do. Rates per second, times in seconds; None where it does not apply or cannot be known."""

    ceiling_per_s: float | None = None
    drain_burst_s: float | None = None
    latency_worst_s: float | None = None
    lease_s: float | None = None
    retry_span_s: float | None = None
    invocations_month: float | None = None
    invocations_included: float | None = None


@dataclass(frozen=True, slots=True)
class Classification:
    """`pattern` None means that no pattern is feasible: `problem` then says why (rule E301 reports it)."""

    workload: str
    pattern: Pattern | None
    reasons: tuple[Reason, ...]
    budget_ms: int
    """The guaranteed time for one item: half the wall clock for Edge handlers, `statement_timeout` for SQL."""
    capacity: Capacity = Capacity()
    problem: str | None = None
    given_up: tuple[str, ...] = ()
    """What an override by `pattern:` gives up, in sentences; empty without one."""
