"""The status of one database as text: alerts first, then a row a workload, then what is worth knowing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from orchestra.report import status_words as words
from orchestra.report.cells import wrap
from orchestra.report.columns import Cell, Column, table
from orchestra.report.history_words import plain
from orchestra.report.spans import short
from orchestra.report.style import PLAIN, Style
from orchestra.report.words import count

if TYPE_CHECKING:
    from orchestra.status.model import Alert, Snapshot, Workload
    from orchestra.status.source import Look

_COLUMNS: Final = (
    Column("WORKLOAD", left=True),
    Column("DEPTH"),
    Column("READY", 4, "ready"),
    Column("OLDEST"),
    Column("BUSY"),
    Column("WORKERS", 5, "workers"),
    Column("IN"),
    Column("OUT"),
    Column("DEAD"),
    Column("FAILED", 6, "the share that failed"),
    Column("LAST RUN", 3, "last run"),
    Column("NEXT RUN", 2, "next run"),
)


def render(look: Look, style: Style = PLAIN) -> str:
    """One database. Where a connection was lost, what was seen last is shown with its time."""
    found = look.found
    lines: list[str] = []
    if look.fault is not None:
        lines += [*fault(look, style), ""]
    if found is not None:
        lines += _snapshot(found, style)
    return "\n".join(lines) + "\n"


def fault(look: Look, style: Style) -> Iterator[str]:
    """Why nothing can be seen now, and what is done about it."""
    said = f"{look.fault}"
    if look.again_in is not None:
        said += f"; trying again in {short(max(look.again_in, 0.001))}"
    if look.found is not None:
        said += f". Below is what was seen at {look.found.at.astimezone(UTC):%H:%M:%S} UTC"
    for line in wrap(plain(said), style.width):
        yield style.paint(line, "bold", "red")


def _snapshot(found: Snapshot, style: Style) -> Iterator[str]:
    yield from wrap(f"{words.title(found)}, {found.at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC", style.width)
    yield ""
    yield from alerts([("", a) for a in found.alerts], style, several=len(found.projects) > 1)
    if found.workloads:
        yield ""
        yield from _workloads(found, style)
    else:
        yield from ("", "It has no workloads.")
    notes = list(words.notes(found))
    if notes:
        yield ""
    for note in notes:
        first, *more = wrap(note, style.width - 2)
        yield f"- {first}"
        yield from (f"  {line}" for line in more)


def alerts(found: Sequence[tuple[str, Alert]], style: Style, *, several: bool = False) -> Iterator[str]:
    """Each with the environment that it is of, where there are several."""
    if not found:
        yield style.paint("All is well.", "green")
        return
    yield style.paint(f"{count(len(found), 'alert')}:", "bold", "red")
    for environment, alert in found:
        who = alert.workload or f"project {alert.project}"
        if several and alert.workload:
            who = f"{alert.project}/{who}"
        who = f"{environment}: {who}" if environment else who
        first, *more = wrap(f"{plain(who)} {alert.kind}: {plain(alert.reason)}", style.width - 4)
        yield f"  {style.paint('!', 'bold', 'red')} {first}"
        yield from (f"    {line}" for line in more)


def _workloads(found: Snapshot, style: Style) -> Iterator[str]:
    firing = {(a.project, a.workload) for a in found.alerts}
    rows = [_row(w, found, firing) for w in found.workloads]
    made = table(_COLUMNS, rows, style)
    left_out: list[str] = []
    if made is not None:
        lines, left_out = made
        yield from lines
    else:
        for w, row in zip(found.workloads, rows, strict=True):
            yield from _block(w, row, found.at, style)
    said = words.windows(found)
    if left_out:
        said = f"{said} Left out for want of width: {', '.join(left_out)}.".strip()
    yield from (style.dim(line) for line in wrap(said, style.width))


def _row(w: Workload, found: Snapshot, firing: set[tuple[str, str | None]]) -> list[Cell]:
    at = found.at
    alarmed = (w.project, w.name) in firing
    red = ("red",) if alarmed else ()
    queue = w.pattern == "queue"
    return [
        Cell(words.name(w, found), ("bold", "red") if alarmed else ("bold",)),
        Cell(words.depth(w), ("red",) if "max_depth" in w.beyond else ()),
        Cell(words.waiting(w)),
        Cell(words.oldest(w), ("red",) if "max_age" in w.beyond else ()),
        Cell(words.busy(w)),
        Cell(words.workers(w), ("yellow",) if w.paused else ()),
        Cell(words.came(w)),
        Cell(words.ended(w)),
        Cell(words.most(w.dead_letters) if queue else "-", ("red",) if w.dead_letters else ()),
        Cell(words.failing(w), red if w.failed_lately else ()),
        Cell(words.last(w, at), ("red",) if w.runs and w.runs.last_status in ("failed", "lost") else ()),
        Cell(words.following(w, at)),
    ]


def _block(w: Workload, row: Sequence[Cell], at: datetime, style: Style) -> Iterator[str]:
    """The same in sentences, where the terminal is too narrow for a table."""
    yield style.paint(row[0].text, *row[0].looks)
    said = []
    if w.pattern == "queue":
        said.append(f"{words.depth(w)} in the queue, {words.waiting(w)} ready")
        said += [f"oldest {words.oldest(w)}"] if w.oldest_waiting is not None else []
    if w.pattern != "scheduled_sql":
        said.append(f"{words.busy(w)} busy")
    if w.slots is not None or w.paused:
        said.append("paused" if w.paused else f"workers {words.workers(w)}")
    if words.came(w) != "-":
        said.append(f"in {words.came(w)}, out {words.ended(w)}")
    if w.dead_letters:
        said.append(f"{words.most(w.dead_letters)} dead")
    if words.failing(w) not in ("-", "0%"):
        said.append(f"{words.failing(w)} failed")
    if words.last(w, at) != "-":
        said.append(f"last run {words.last(w, at)}")
    if words.following(w, at) != "-":
        said.append(f"next {words.following(w, at)}")
    yield from (f"  {line}" for line in wrap(", ".join(said), style.width - 2))
