"""Runs for people: a list, and one with its steps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final

from orchestra.report import json_text, occurrences_text
from orchestra.report.cells import cut, pad, visible, width, wrap
from orchestra.report.history_words import headline, moment
from orchestra.report.spans import span
from orchestra.report.style import PLAIN, Style

if TYPE_CHECKING:
    from orchestra.operate.occurrences import Page
    from orchestra.operate.runs import Run, Step

_LOOKS: Final = {
    "failed": ("bold", "red"),
    "running": ("cyan",),
    "waiting": ("dim",),
    "cancelled": ("yellow",),
    "done": ("green",),
}
_BAR: Final = 20
_WIDE: Final = 80


def listing(
    found: Sequence[Run],
    scheduled: Page,
    calls: Page,
    project: str,
    now: datetime,
    style: Style = PLAIN,
    *,
    more: bool,
) -> str:
    """The sections of which there is something, each the newest first."""
    sections = [_runs(found, project, now, style, more=more)] if found else []
    for what, page in (("Scheduled work", scheduled), ("Calls", calls)):
        if page.found:
            title = f"{what} of project {visible(project)}, the newest first"
            sections.append(occurrences_text.section(title, page.found, now, style, more=page.more))
    hint = wrap("orchestra runs show ID shows one whole.", style.width)
    return "\n".join([*sections, *(style.dim(line) for line in hint)]) + "\n"


def _runs(found: Sequence[Run], project: str, now: datetime, style: Style, *, more: bool) -> str:
    """A line a run: number, workload, status, how far, how long; an error below."""
    ids = max((len(str(run.id)) for run in found), default=0)
    names = max((width(visible(run.workload)) for run in found), default=0)
    lines = [style.bold(f"Runs of project {visible(project)}, the newest first"), ""]
    for run in found:
        head = f"  {str(run.id).rjust(ids)}  {pad(visible(run.workload), names)}  "
        tail = f"  {_share(run)}, {_time(run.started_at, run.finished_at, now)}"
        status = style.paint(pad(run.status, 9), *_LOOKS.get(run.status, ()))
        began = f", {moment(run.started_at)}" if style.width >= _WIDE else ""
        lines.append(head + status + cut(tail + began, max(10, style.width - width(head) - 9)))
        if run.error:
            error = headline(run.error)
            lines.append(" " * (ids + 4) + style.dim(cut(error, max(10, style.width - ids - 4))))
    if more:
        lines.append(style.dim(f"  … {len(found):,} are shown; --limit shows more"))
    return "\n".join(lines) + "\n"


def show(run: Run, now: datetime, style: Style = PLAIN) -> str:
    """A run whole: its story, each step with a bar, what failed, and its input."""
    rows = [
        ("Run", style.bold(str(run.id))),
        ("Workload", visible(run.workload)),
        ("Status", style.paint(run.status, *_LOOKS.get(run.status, ()))),
        ("Asked by", visible(run.caller or "", keep="")),
        ("Attempt", str(run.attempt) if run.attempt > 1 else ""),
        ("Began", moment(run.started_at)),
        ("Ended", moment(run.finished_at) if run.finished_at else ""),
        ("Took" if run.finished_at else "Since", _time(run.started_at, run.finished_at, now)),
        ("Error", cut(headline(run.error or ""), max(20, style.width - 13))),
    ]
    parts = ["\n".join(f"{style.dim(pad(name, 10))} {value}" for name, value in rows if value)]
    if run.steps:
        parts.append("\n".join([style.bold("Steps"), *_steps(run.steps, now, style)]))
    if run.failures:
        parts.append("\n".join([style.bold("Dead letters"), *_failures(run, style)]))
    parts.append("\n".join([style.bold("Input"), *_json(run.input)]))
    return "\n\n".join(parts) + "\n"


def _steps(steps: Sequence[Step], now: datetime, style: Style) -> Iterator[str]:
    names = max(width(visible(step.step)) for step in steps)
    for step in steps:
        status = style.paint(pad(step.status, 9), *_LOOKS.get(step.status, ()))
        line = f"  {pad(visible(step.step), names)}  {status}"
        if style.width >= _WIDE:
            line += f"  [{_bar(step)}]"
        said = f"{step.done:,}/{step.total:,}" + (f", {step.failed:,} failed" if step.failed else "")
        took = _time(step.started_at, step.finished_at, now) if step.started_at else ""
        yield f"{line}  {said}" + (f"  {took}" if took else "")


def _bar(step: Step) -> str:
    if not step.total:
        return "-" * _BAR
    done, failed = _BAR * step.done // step.total, -(-_BAR * step.failed // step.total)
    failed = min(failed, _BAR - done)
    return "#" * done + "!" * failed + "-" * (_BAR - done - failed)


def _failures(run: Run, style: Style) -> Iterator[str]:
    for one in run.failures:
        where = f" {visible(one.step)}" if one.step else ""
        number = f"[{one.i}]" if one.i is not None else ""
        yield cut(f"  {one.id}{where}{number}: {headline(one.error)}", style.width)
    if run.failed > len(run.failures):
        yield style.dim(f"  {run.failed:,} tasks failed in all; orchestra dlq has the letters that wait")


def _share(run: Run) -> str:
    said = f"{run.done:,}/{run.total:,} done"
    return said + (f", {run.failed:,} failed" if run.failed else "")


def _time(start: datetime, end: datetime | None, now: datetime) -> str:
    return span(((end or now) - start).total_seconds())


def _json(text: str | None) -> list[str]:
    return [f"  {line}" for line in visible(json_text.pretty(json_text.masked(text) or "null")).split("\n")]
