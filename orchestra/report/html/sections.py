"""The parts of a page around its changes: head, verdict, what stands in the way, load, graph."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from orchestra.plan.model import Action, Blocker, Change, Condition, Hazard
from orchestra.report import load_rows
from orchestra.report.budget import Budget, octets
from orchestra.report.html.changes import hazard
from orchestra.report.html.escape import LOOKS, line, text
from orchestra.report.html.lane_svg import svg
from orchestra.report.load_rows import LoadRow
from orchestra.report.review import Review
from orchestra.report.symbols import SYMBOLS
from orchestra.report.words import count
from orchestra.report.workload_graph import Lane, lanes

GRAPH = 500_000
"""Bytes for the graph."""
NOTES = 200_000
"""Bytes for each list of notes, of at most so many:"""
MOST_NOTES = 300
MOST_LOADS = 2_000
FIRST = 12
"""Workloads that are drawn unfolded."""


def head(review: Review) -> Iterator[str]:
    what = "plan" if review.kind == "plan" else "difference"
    yield f"<header><p class=kicker>orchestra {what}</p><h1>{line(review.project)}"
    yield f" <span class=env>{line(review.place)}</span>" if review.place else ""
    yield "</h1><ul class=numbers>"
    for (verb, number), look in zip(review.numbers.items(), ("create", "update", "delete"), strict=True):
        yield f'<li class="{look if number else "none"}"><b>{number:,}</b> to {verb}</li>'
    if review.unchanged:
        yield f"<li class=none><b>{review.unchanged:,}</b> unchanged</li>"
    yield "</ul>"
    yield f'<p class="verdict {review.state}">{line(_verdict(review))}</p>'
    if review.destroying:
        yield "<p class='verdict blocked'>This removes the project from the database (orchestra destroy).</p>"
    if review.batches > 1:
        yield f"<p>It is cut into {review.batches:,} transactions, each proved by itself.</p>"
    rows = "".join(f"<dt>{line(name)}</dt><dd>{line(value)}</dd>" for name, value in review.about)
    yield f"<dl class=about>{rows}</dl></header>"


def _verdict(review: Review) -> str:
    if review.state == "blocked":
        return review.standstill
    if review.state == "empty" or review.kind == "diff":
        return review.verdict
    return "Ready to be applied: nothing stands in the way."


def stops(review: Review) -> str:
    return _notes("Stands in the way", "grave", review.obstacles)


def conditions(review: Review) -> str:
    return _notes("Conditions, not changes", "mild", review.conditions)


def _notes(title: str, look: str, items: Sequence[Blocker | Condition]) -> str:
    return _section(title, len(items), (_note(look, item) for item in items[:MOST_NOTES]))


def _note(look: str, item: Blocker | Condition) -> str:
    remedy = f"<br><small>{text(item.remedy)}</small>" if item.remedy else ""
    name = f"<code>{line(str(item.address))}</code> "
    return f'<p class="h {look}"><b>{line(item.code)}</b> {name}{text(item.message)}{remedy}</p>'


def approvals(ordered: Sequence[Change]) -> str:
    """What somebody has to approve, and what somebody has."""
    dangers = [(c, h) for c in ordered for h in c.hazards if h.needs_approval]
    waiting = [(c, h) for c, h in dangers if not h.approved]
    return _hazards("Needs approval", waiting) + _hazards("Approved", [d for d in dangers if d[1].approved])


def _hazards(title: str, dangers: Sequence[tuple[Change, Hazard]]) -> str:
    shown = (hazard(h, f"<code>{line(str(c.address))}</code> ") for c, h in dangers[:MOST_NOTES])
    return _section(title, len(dangers), shown)


def _section(title: str, number: int, notes: Iterable[str]) -> str:
    if not number:
        return ""
    shown = Budget(NOTES, octets).fill(notes, NOTES)
    left = number - len(shown)
    more = f"<p class=note>… and {left:,} more like these.</p>" if left else ""
    return f"<section><h2>{title} <span>{number:,}</span></h2>{''.join(shown)}{more}</section>"


def loads(review: Review) -> str:
    if review.loads is None:
        return ""
    whole = "".join(f"<tr>{_load(row)}</tr>" for row in load_rows.totals(review.loads))
    each = list(load_rows.workloads(review.loads))[:MOST_LOADS]
    more = "".join(f"<tbody>{''.join(_workload(name, rows))}</tbody>" for name, rows in groupby(each, _name))
    return (
        "<section><h2>Capacity and cost</h2><table class=loads><thead><tr><th><th>before<th>after</tr></thead>"
        f"<tbody>{whole}</tbody>{more}</table></section>"
    )


def _workload(name: str, rows: Iterable[LoadRow]) -> Iterator[str]:
    yield f"<tr><th colspan=3><b>{line(name)}</b></tr>"
    yield from (f"<tr>{_load(row)}</tr>" for row in rows)


def _name(row: LoadRow) -> str:
    return row.what


def _load(row: LoadRow) -> str:
    look = "" if row.before == row.after else " class=differs"
    warning = f" <i class=grave>{line(row.warning)}</i>" if row.warning else ""
    return f"<th>{row.name}<td{look}>{line(row.before)}<td{look}>{line(row.after)}{warning}"


def graph(review: Review) -> str:
    """The workloads, those that change first; as many as the page has room for."""
    every = lanes(review)
    if not every:
        return ""
    budget = Budget(GRAPH, octets)
    touched = [lane for lane in every if lane.action]
    kept = [lane for lane in every if not lane.action]
    first = _cards(touched[:FIRST], budget)
    more = _folded("more that change", touched[FIRST:], budget)
    rest = _folded("that stay as they are", kept, budget)
    return (
        f"<section><h2>Workloads <span>{len(touched):,} of {len(every):,} change</span></h2>"
        f"{_legend(every)}{first}{more}{rest}</section>"
    )


def _cards(lanes: Sequence[Lane], budget: Budget) -> str:
    drawn = budget.fill(map(_card, lanes), budget.room)
    left = len(lanes) - len(drawn)
    more = f"<p class=note>… and {count(left, 'more workload')}, not drawn.</p>" if left else ""
    return f"<div class=lanes>{''.join(drawn)}</div>{more}" if lanes else ""


def _folded(words: str, lanes: Sequence[Lane], budget: Budget) -> str:
    if not lanes:
        return ""
    return f"<details class=more><summary>{len(lanes):,} {words}</summary>{_cards(lanes, budget)}</details>"


def _legend(every: Sequence[Lane]) -> str:
    used = {node.action for lane in every for row in lane.rows for node in row if node.action}
    keys = "".join(
        f'<li class="{LOOKS[action]}"><b>{line(symbol.sign)}</b> {line(symbol.verb)}</li>'
        for action, symbol in SYMBOLS.items()
        if action in used
    )
    return f"<ul class=legend>{keys}</ul>" if keys else ""


def _card(lane: Lane) -> str:
    look = LOOKS[lane.action] if lane.action else "kept"
    sign = f'<b class="sign">{line(SYMBOLS[lane.action].sign)}</b> ' if lane.action else ""
    gone = "" if lane.declared or lane.action is not Action.DELETE else " gone"
    said = [f"moved from {lane.moved_from}"] if lane.moved_from else []
    said += [lane.summary] if lane.summary else []
    note = f"<p>{line('. '.join(said))}</p>" if said else ""
    name = line(lane.workload)
    return (
        f'<figure class="{look}{gone}" id="w-{name}"><figcaption>{sign}<span>{name}</span>{note}</figcaption>'
        f"{svg(lane)}</figure>"
    )
