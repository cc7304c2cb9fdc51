"""Capacity and cost before and after, in words."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from orchestra.plan.load import Load, LoadChange, LoadReport, Totals
from orchestra.report.explain_numbers import digits, rate, seconds

NOTHING = "-"


@dataclass(frozen=True, slots=True)
class LoadRow:
    """One number of one workload, or of the whole spec. `warning` says why the number after is bad news."""

    what: str
    name: str
    before: str
    after: str
    warning: str = ""


def totals(report: LoadReport) -> Iterator[LoadRow]:
    """What the whole spec amounts to; rows that stay as they were, too."""
    b, a = report.before, report.after
    yield LoadRow("", "workloads", f"{b.workloads:,}", f"{a.workloads:,}")
    yield LoadRow("", "Edge Functions", f"{b.functions:,}", f"{a.functions:,}")
    yield LoadRow("", "cron jobs", f"{b.cron_jobs:,}", f"{a.cron_jobs:,}")
    yield LoadRow("", "invocations a month", _invocations(b), _invocations(a), _over(a))
    if b.cost_usd_month is not None or a.cost_usd_month is not None:
        yield LoadRow("", "cost of invocations a month", _dollars(b), _dollars(a))


def workloads(report: LoadReport) -> Iterator[LoadRow]:
    """What differs, workload by workload."""
    for change in report.changes:
        yield from _rows(change)


def _rows(change: LoadChange) -> Iterator[LoadRow]:
    def shown(load: Load | None, one: Callable[[Load], str]) -> str:
        return NOTHING if load is None else one(load)

    for name, one in _NUMBERS:
        before, after = shown(change.before, one), shown(change.after, one)
        if before != after:
            warning = _overrun(change.after) if name == "ceiling" else ""
            yield LoadRow(change.workload, name, before, after, warning)


def _of(value: float | None, words: Callable[[float], str]) -> str:
    return NOTHING if value is None else words(value)


_NUMBERS: tuple[tuple[str, Callable[[Load], str]], ...] = (
    ("pattern", lambda x: x.pattern),
    ("ceiling", lambda x: _of(x.ceiling_per_s, rate)),
    ("arrival", lambda x: _of(x.arrival_per_s, rate)),
    ("burst drained in", lambda x: _of(x.drain_burst_s, seconds)),
    ("worst latency", lambda x: _of(x.latency_worst_s, seconds)),
    ("invocations a month", lambda x: _of(x.invocations_month, digits)),
)


def _overrun(load: Load | None) -> str:
    if load is None or load.ceiling_per_s is None or load.arrival_per_s is None:
        return ""
    return "less than arrives: it grows for ever" if load.ceiling_per_s < load.arrival_per_s else ""


def _invocations(totals: Totals) -> str:
    included = f" of {digits(totals.invocations_included)} included" if totals.invocations_included else ""
    return f"{digits(totals.invocations_month)}{included}"


def _over(totals: Totals) -> str:
    included = totals.invocations_included
    return "more than the plan includes" if included and totals.invocations_month > included else ""


def _dollars(totals: Totals) -> str:
    return _of(totals.cost_usd_month, lambda x: f"${x:,.2f}")
