"""What `orchestra explain` says: the pattern of each workload, why, and the capacity proof."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from orchestra.classify.model import Capacity, Classification
from orchestra.classify.words import duration
from orchestra.report import explain_proof
from orchestra.report.cells import visible, wrap
from orchestra.report.explain_numbers import seconds
from orchestra.report.style import PLAIN, Style
from orchestra.report.words import count

FORMAT_VERSION = 1

_TITLES = {
    "queue": "queue: pgmq and pg_cron",
    "wait_until": "wait_until: behind the response of an Edge Function",
    "scheduled_sql": "scheduled_sql: a pg_cron job of its own",
    None: "no pattern fits",
}


def render_text(items: Sequence[Classification], style: Style = PLAIN) -> str:
    """Each workload as a block; a line that counts the patterns closes more than one."""
    blocks = ["\n".join(_block(item, style)) for item in items]
    if len(items) > 1:
        blocks.append(_summary(items, style))
    return "\n\n".join(blocks) + "\n" if blocks else ""


def render_json(items: Sequence[Classification]) -> str:
    """As `schemas/explain.v1.schema.json` describes it; every key is there, null where it does not apply."""
    document = {"format_version": FORMAT_VERSION, "workloads": [_json(item) for item in items]}
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _block(item: Classification, style: Style) -> Iterator[str]:
    title = style.paint(_TITLES[item.pattern], "red" if item.pattern is None else "cyan")
    yield f"{style.bold(visible(item.workload, keep=''))}  {title}"
    if item.problem is not None:
        yield from _sentence(item.problem, style, "red")
    for reason in item.reasons:
        yield from _sentence(reason.text, style)
    if item.given_up:
        yield ""
        yield f"  {style.paint('Given up by this override', 'bold', 'yellow')}"
        for line in item.given_up:
            yield from _sentence(line, style, "yellow")
    if item.ignored:
        yield ""
        yield from _sentence(f"Written and without effect here: {', '.join(item.ignored)}.", style, "yellow")
    if item.pattern is not None:
        yield from _table("Numbers", list(_numbers(item)), style)
        yield from _table("Capacity", list(explain_proof.rows(item.capacity)), style)


def _sentence(text: str, style: Style, look: str = "dim") -> Iterator[str]:
    first, *more = wrap(visible(text, keep=""), max(40, style.width - 4))
    yield f"  {style.paint('-', look)} {first}"
    yield from (f"    {line}" for line in more)


def _table(title: str, rows: list[tuple[str, str]], style: Style) -> Iterator[str]:
    """Rows of a name and what is said of it, the second column aligned and hanging."""
    if not rows:
        return
    yield ""
    yield f"  {style.bold(title)}"
    left = max(len(name) for name, _ in rows) + 2
    for name, value in rows:
        first, *more = wrap(value, max(20, style.width - 4 - left))
        yield f"    {style.dim(name.ljust(left))}{first}"
        yield from (" " * (4 + left) + line for line in more)


def _numbers(item: Classification) -> Iterator[tuple[str, str]]:
    c = item.capacity
    yield "budget of one item", duration(item.budget_ms) if item.budget_ms else "none"
    if c.lease_s is not None:
        yield "lease", _lease(c)
    if c.retry_span_s is not None:
        yield (
            "retries span",
            f"{seconds(c.retry_span_s)} of backoff at the longest; full jitter halves it on average",
        )
    if c.latency_worst_s is not None:
        yield "worst latency", explain_proof.latency(c)
    if c.invocations_month:
        yield "invocations", _invocations(c.invocations_month, c.invocations_included)


def _lease(c: Capacity) -> str:
    lease = seconds(c.lease_s or 0)
    if c.batch_span_s is None or c.arithmetic is None or c.arithmetic.handler == "sql":
        return f"{lease}, one message at a time"
    span = seconds(c.batch_span_s)
    batch = count(c.arithmetic.batch, "item")
    if c.batch_span_s > (c.lease_s or 0):
        return f"{lease}, renewed while work goes on: a batch of {batch} can take {span}"
    return f"{lease}, enough for the {span} that a batch of {batch} can take"


def _invocations(month: float, included: float | None) -> str:
    text = f"{month:,.0f} a month"
    if not included or not month:
        return text
    share = month / included
    if share > 1:
        return f"{text}, {share:,.1f} times the {included:,.0f} that the plan includes"
    return f"{text}, {max(share * 100, 0.1):.1f} % of the {included:,.0f} that the plan includes"


def _summary(items: Sequence[Classification], style: Style) -> str:
    found = [i.pattern for i in items]
    parts = [f"{found.count(p)} {p}" for p in ("wait_until", "queue", "scheduled_sql") if p in found]
    if None in found:
        parts.append(style.paint(f"{found.count(None)} without a pattern", "red"))
    return f"{count(len(items), 'workload')}: {', '.join(parts)}"


def _json(item: Classification) -> dict[str, Any]:
    return {
        "workload": item.workload,
        "pattern": item.pattern,
        "problem": item.problem,
        "reasons": [{"text": r.text, "numbers": dict(r.numbers)} for r in item.reasons],
        "given_up": list(item.given_up),
        "ignored": list(item.ignored),
        "budget_ms": item.budget_ms or None,
        "capacity": explain_proof.as_json(item.capacity),
    }
