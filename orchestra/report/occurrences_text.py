"""What schedules and calls began, for people: a line each, and one whole."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final

from orchestra.report import json_text, mask
from orchestra.report.cells import cut, pad, visible, width
from orchestra.report.history_words import headline, moment
from orchestra.report.spans import span
from orchestra.report.style import PLAIN, Style

if TYPE_CHECKING:
    from orchestra.operate.occurrences import Occurrence

_LOOKS: Final = {
    "failed": ("bold", "red"),
    "lost": ("bold", "red"),
    "running": ("cyan",),
    "waiting": ("dim",),
    "skipped": ("yellow",),
    "paused": ("yellow",),
    "done": ("green",),
}
_FEWEST: Final = 10
"""Columns that what is said gets at least."""


def section(title: str, found: Sequence[Occurrence], now: datetime, style: Style, *, more: bool) -> str:
    """A heading and a line for each, an error below."""
    heads = [_head(one) for one in found]
    names = max(map(width, heads), default=0)
    lines = [style.bold(title), ""]
    for one, head in zip(found, heads, strict=True):
        status = style.paint(pad(one.status, 9), *_LOOKS.get(one.status, ()))
        room = max(_FEWEST, style.width - names - 4 - 9)
        lines.append(f"  {pad(head, names)}  {status}{cut('  ' + ', '.join(_facts(one, now)), room)}")
        if one.error:
            lines.append("    " + style.dim(cut(headline(one.error), max(_FEWEST, style.width - 4))))
    if more:
        lines.append(style.dim(f"  … {len(found):,} are shown; --limit shows more"))
    return "\n".join(lines) + "\n"


def show(one: Occurrence, now: datetime, style: Style = PLAIN) -> str:
    """One of them whole."""
    took = _took(one, now)
    rows = [
        ("Id", style.bold(visible(one.id))),
        ("Workload", visible(one.workload)),
        ("Status", style.paint(one.status, *_LOOKS.get(one.status, ())) + _meaning(one)),
        ("Due", moment(one.due_at) if one.due_at else ""),
        ("Attempt", str(one.attempt) if one.attempt else ""),
        ("Began", moment(one.started_at) if one.started_at else ""),
        ("Ended", moment(one.finished_at) if one.finished_at else ""),
        ("Took" if one.finished_at else "Since", took),
        ("Again at", moment(one.retry_at) if one.retry_at else ""),
        ("Message", str(one.message_id) if one.message_id is not None else ""),
        ("Letter", f"{one.dead_letter}: orchestra dlq show {one.dead_letter}" if one.dead_letter else ""),
        ("Cron job", visible(one.job or "", keep="")),
        ("Code" if one.kind == "call" else "SQLSTATE", visible(one.sqlstate or "", keep="")),
    ]
    parts = ["\n".join(f"{style.dim(pad(name, 10))} {value}" for name, value in rows if value)]
    if one.error:
        said = visible(mask.text(one.error)).split("\n")
        parts.append("\n".join([style.bold("Error"), *(f"  {line}" for line in said)]))
    if len(one.attempts) > 1:
        parts.append("\n".join([style.bold("Attempts"), *_attempts(one.attempts, now, style)]))
    if one.input is not None:
        text = visible(json_text.pretty(json_text.masked(one.input) or "null"))
        parts.append("\n".join([style.bold("Input"), *(f"  {line}" for line in text.split("\n"))]))
    return "\n\n".join(parts) + "\n"


def _head(one: Occurrence) -> str:
    """The id, with the workload where it does not say it."""
    return visible(one.id if "@" in one.id else f"{one.id} {one.workload}", keep="")


def _facts(one: Occurrence, now: datetime) -> Iterator[str]:
    if one.attempt is not None and one.attempt > 1:
        yield f"attempt {one.attempt}" if one.kind == "sql" else f"{one.attempt} attempts"
    if took := _took(one, now):
        yield took
    if one.retry_at is not None:
        yield f"again at {moment(one.retry_at)}"
    if one.dead_letter is not None:
        yield f"dead letter {one.dead_letter}"
    if one.started_at is not None and "@" not in one.id:
        yield moment(one.started_at)


def _took(one: Occurrence, now: datetime) -> str:
    """How long it took, or has been going on."""
    if one.started_at is None or (one.finished_at is None and one.status not in ("running", "waiting")):
        return ""
    return span(((one.finished_at or now) - one.started_at).total_seconds())


def _meaning(one: Occurrence) -> str:
    """What is not to be seen from the word."""
    match one.kind, one.status:
        case "due", "skipped":
            return " (the run before was going on, or a later due time stood for it)"
        case "due", "paused":
            return " (nothing begins while it is paused)"
        case "due", "waiting":
            return " (for the run before)"
        case "message", "ended":
            return " (its message has left the queue; `retention: {completed: 7d}` keeps how)"
        case "job", _:
            return " (its cron job, before the work could begin)"
        case _:
            return ""


def _attempts(found: Sequence[Occurrence], now: datetime, style: Style) -> Iterator[str]:
    for one in found:
        status = style.paint(pad(one.status, 9), *_LOOKS.get(one.status, ()))
        said = f"  {one.attempt}  {visible(one.id)}  "
        tail = ", ".join(_facts(one, now)) + (f": {headline(one.error)}" if one.error else "")
        yield said + status + cut(f"  {tail}", max(_FEWEST, style.width - width(said) - 9))
