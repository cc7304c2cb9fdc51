"""The status of several databases: their alerts, and a row for each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from orchestra.report import status_text
from orchestra.report import status_words as words
from orchestra.report.cells import wrap
from orchestra.report.columns import Cell, Column, table
from orchestra.report.history_words import plain
from orchestra.report.spans import rate, short
from orchestra.report.style import PLAIN, Style
from orchestra.report.words import count

if TYPE_CHECKING:
    from orchestra.status.model import Workload
    from orchestra.status.source import Look

_COLUMNS: Final = (
    Column("ENVIRONMENT", left=True),
    Column("ALERTS"),
    Column("WORKLOADS", 6, "workloads"),
    Column("DEPTH"),
    Column("OLDEST", 2, "oldest"),
    Column("BUSY", 4, "busy"),
    Column("IN", 3, "in"),
    Column("OUT", 3, "out"),
    Column("DEAD", 1, "dead"),
)


def render(looks: Sequence[Look], style: Style = PLAIN) -> str:
    lines: list[str] = []
    for look in looks:
        if look.fault is not None:
            for number, line in enumerate(status_text.fault(look, style)):
                lines.append(f"{plain(look.name)}: {line}" if number == 0 else f"  {line}")
    lines += [""] if lines else []
    firing = [(look.name, a) for look in looks if look.found for a in look.found.alerts]
    if firing or all(look.fault is None for look in looks):
        lines += [*status_text.alerts(firing, style), ""]
    made = table(_COLUMNS, [_row(look) for look in looks], style)
    if made is None:
        for look in looks:
            lines += [
                style.bold(plain(look.name)),
                *(f"  {line}" for line in wrap(_said(look), style.width - 2)),
            ]
    else:
        lines += made[0]
    found = next((look.found for look in looks if look.found), None)
    said = words.windows(found) if found else ""
    if made and made[1]:
        said = f"{said} Left out for want of width: {', '.join(made[1])}.".strip()
    lines += [style.dim(line) for line in wrap(said, style.width)] if said else []
    return "\n".join(lines) + "\n"


def _row(look: Look) -> list[Cell]:
    name = plain(look.name)
    if look.found is None:
        return [Cell(name, ("bold", "red")), Cell("unread", ("red",)), *[Cell()] * (len(_COLUMNS) - 2)]
    alerts, all_of = len(look.found.alerts), look.found.workloads
    red = ("red",) if alerts or look.fault else ()
    ages = [w.oldest_waiting for w in all_of if w.oldest_waiting is not None]
    return [
        Cell(name, ("bold", *red)),
        Cell(f"{alerts:,}", red),
        Cell(f"{len(all_of):,}"),
        Cell(_depth(all_of)),
        Cell(short(max(ages)) if ages else "-"),
        Cell(f"{sum(w.in_flight + w.calls_going_on for w in all_of):,}"),
        Cell(
            _rate(
                [
                    (w.traffic.came, w.traffic.over)
                    for w in all_of
                    if w.traffic and w.pattern != "scheduled_sql"
                ]
            )
        ),
        Cell(
            _rate(
                [
                    (w.traffic.ended, w.traffic.over)
                    for w in all_of
                    if w.traffic and w.pattern != "scheduled_sql"
                ]
            )
        ),
        Cell(words.most(sum(w.dead_letters for w in all_of))),
    ]


def _depth(workloads: Sequence[Workload]) -> str:
    depth = sum(w.depth or 0 for w in workloads)
    return f"~{depth:,}" if any(w.depth_is_estimate for w in workloads) else f"{depth:,}"


def _rate(parts: Sequence[tuple[int, float]]) -> str:
    return rate(sum(n / over for n, over in parts if over > 0), 1.0) if parts else "-"


def _said(look: Look) -> str:
    """The row in words, where the terminal is too narrow for a table."""
    if look.found is None:
        return "unread"
    return f"{count(len(look.found.alerts), 'alert')}, {_depth(look.found.workloads)} in the queues"
