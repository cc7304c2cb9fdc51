"""What the workloads can take and what they cost, before and after: a line each way, as in a diff."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from orchestra.plan.load import Load, LoadReport, Totals
from orchestra.report.cells import pad, visible, width, wrap
from orchestra.report.explain_numbers import rate, seconds
from orchestra.report.style import Style

HEAD = ("Load", "pattern", "ceiling", "burst in", "worst wait", "calls/month")
MOST = 20
"""Workloads that are listed; `full` lists all."""


def render(report: LoadReport, style: Style, *, full: bool = False) -> list[str]:
    """The table of the workloads whose load differs, and the totals; nothing where nothing differs."""
    if not report.changes and report.before == report.after:
        return []
    shown = report.changes if full else report.changes[:MOST]
    rows: list[tuple[str, tuple[str, ...]]] = [("", HEAD)]
    for change in shown:
        name = visible(change.workload, keep="")
        rows += [("-", cells(name, change.before))] if change.before else []
        rows += [("+", cells(name, change.after))] if change.after else []
    out = list(_table(rows, style)) if shown else [style.dim("Load")]
    if len(shown) < len(report.changes):
        left = len(report.changes) - len(shown)
        out.append(style.dim(f"  … and {left:,} more workloads (--full shows all)"))
    for text in totals(report.before, report.after):
        first, *rest = wrap(text, style.width - 4)
        out += [f"  {first}", *(f"    {line}" for line in rest)]
    return out


def cells(name: str, load: Load) -> tuple[str, ...]:
    """One row below HEAD; `-` where a number does not apply or nothing was declared to reckon it from."""
    never = load.arrival_per_s is not None and load.ceiling_per_s is not None
    overrun = never and (load.arrival_per_s or 0) >= (load.ceiling_per_s or 0)
    return (
        name,
        load.pattern,
        "-" if load.ceiling_per_s is None else rate(load.ceiling_per_s),
        "never" if overrun else "-" if load.drain_burst_s is None else seconds(load.drain_burst_s),
        "-" if load.latency_worst_s is None else seconds(load.latency_worst_s),
        "-" if load.invocations_month is None else f"{load.invocations_month:,.0f}",
    )


def totals(before: Totals, after: Totals) -> Iterator[str]:
    """`Workloads 3 -> 4`, … and what the calls of a month amount to."""
    counts = (
        ("workloads", before.workloads, after.workloads),
        ("Edge Functions", before.functions, after.functions),
        ("cron jobs", before.cron_jobs, after.cron_jobs),
    )
    yield "In all: " + ", ".join(f"{_both(f'{b:,}', f'{a:,}')} {noun}" for noun, b, a in counts)
    included = [side.invocations_included for side in (before, after)]
    if included == [None, None]:
        return
    calls = _both(f"{before.invocations_month:,.0f}", f"{after.invocations_month:,.0f}")
    yield f"Calls a month, of the workloads that declare what arrives: {calls}"
    yield f"Of these the plan includes {_both(*map(_number, included))}{_cost(before, after)}"


def _cost(before: Totals, after: Totals) -> str:
    if before.cost_usd_month is None and after.cost_usd_month is None:
        above = after.invocations_month > (after.invocations_included or 0)
        return "; more are not billed but may be refused" if above else ""
    costs = (_dollars(before.cost_usd_month), _dollars(after.cost_usd_month))
    return f"; the rest costs {_both(*costs)} a month, were there no others"


def _number(included: float | None) -> str:
    return "none" if included is None else f"{included:,.0f}"


def _dollars(cost: float | None) -> str:
    return "nothing that is known" if cost is None else f"${cost:,.0f}"


def _both(before: str, after: str) -> str:
    return after if before == after else f"{before} -> {after}"


def _table(rows: Sequence[tuple[str, tuple[str, ...]]], style: Style) -> Iterator[str]:
    widths = [max(width(cells[n]) for _, cells in rows) for n in range(len(HEAD))]
    for sign, row in rows:
        line = "  ".join(pad(cell, size) for cell, size in zip(row, widths, strict=True)).rstrip()
        if not sign:
            yield style.dim(f"    {line}")
        else:
            yield "  " + style.paint(f"{sign} {line}", "red" if sign == "-" else "green")
