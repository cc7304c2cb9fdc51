"""The history of a project as text, and one deployment of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from orchestra.history.model import Deployment, Entry, History
from orchestra.live.ledger_rows import VerbRow
from orchestra.report import history_words as words
from orchestra.report import masked, plan_text
from orchestra.report.cells import pad, wrap
from orchestra.report.style import PLAIN, Style
from orchestra.report.symbols import legend

_VERBS = 5
"""Verbs of operators between two deployments that are listed; the rest is counted unless `full`."""
_MARGIN = 8


def render(history: History, style: Style = PLAIN, *, full: bool = False) -> str:
    """The newest first: two lines a deployment, one a verb."""
    found = [e for e in history.entries if isinstance(e, Deployment)]
    lines = [f"Deployments of project {style.bold(words.plain(history.project))}, the newest first", ""]
    for is_verb, group in groupby(history.entries, lambda e: isinstance(e, VerbRow)):
        lines += (_verbs if is_verb else _deployments)(list(group), style, full)
    lines.append("")
    if history.more_verbs:
        lines.append(style.dim("Further verbs of operators are left out."))
    if history.more:
        lines.append(style.dim(f"There are older ones: --limit {len(found) * 5} shows more."))
    hint = "orchestra history show N shows what one changed, orchestra rollback N goes back to it."
    lines += [style.dim(line) for line in wrap(hint, style.width)]
    return "\n".join(lines) + "\n"


def _deployments(entries: Sequence[Entry], style: Style, full: bool) -> Iterator[str]:
    for entry in entries:
        if isinstance(entry, Deployment):
            yield from _deployment(entry, style)


def _deployment(deployment: Deployment, style: Style) -> Iterator[str]:
    row = deployment.last
    number = f"#{deployment.number}".rjust(_MARGIN - 2)
    back = f", back to #{row.back_to}" if row.back_to else ""
    yield f"{style.bold(number)}  {words.moment(deployment.at)}  {words.counts(deployment)}{back}"
    said = [
        f"by {words.who(row)}",
        f"commit {words.plain(row.git_commit)[: words.SHORT]}" if row.git_commit else "",
        f"environment {words.plain(row.environment)}" if row.environment else "",
        f"orchestra {words.plain(row.tool_version)}" if row.tool_version else "",
        words.by_what(row.plan_hash) if row.plan_hash else "",
        words.transactions(deployment),
        "recorded by an older orchestra: no way back to it" if row.form < 2 else "",
    ]
    for line in _parted([part for part in said if part], style.width - _MARGIN):
        yield " " * _MARGIN + (line if deployment.is_whole else style.paint(line, "yellow"))


def _parted(parts: Sequence[str], width: int) -> Iterator[str]:
    """Parts with commas between, none of them broken over two lines where it fits on one."""
    line = ""
    for place, part in enumerate(parts):
        part += "," if place < len(parts) - 1 else ""
        if line and len(line) + 1 + len(part) > width:
            yield line
            line = part
        else:
            line = f"{line} {part}".lstrip()
    yield line


def _verbs(entries: Sequence[Entry], style: Style, full: bool) -> Iterator[str]:
    rows = [e for e in entries if isinstance(e, VerbRow)]
    shown = rows if full or len(rows) <= _VERBS else rows[: _VERBS - 1]
    for row in shown:
        text = f"by hand: {words.verb(row)}, by {words.who(row)}"
        first, *more = wrap(text, max(30, style.width - _MARGIN - 25))
        mark = style.paint("!".rjust(_MARGIN - 2), "bold", "yellow")
        yield f"{mark}  {words.moment(row.at)}  {first}"
        yield from (" " * (_MARGIN + 25) + line for line in more)
    if len(shown) < len(rows):
        more_of = f"… and {len(rows) - len(shown):,} more by hand, since {words.moment(rows[-1].at)}"
        yield " " * _MARGIN + style.dim(f"{more_of} (--full shows all)")


def show(project: str, deployment: Deployment, style: Style = PLAIN, *, full: bool = False) -> str:
    """One deployment: who, when and from which commit, then each object before and after as a plan shows it."""
    row = deployment.last
    rows = [
        ("Deployment", style.bold(f"#{deployment.number}")),
        ("Project", words.plain(project)),
        ("When", words.moment(deployment.at)),
        ("Who", words.who(row)),
        ("Went back to", f"#{row.back_to}" if row.back_to else ""),
        ("Commit", words.plain(row.git_commit or "")),
        ("Environment", words.plain(row.environment or "")),
        ("Tool", f"orchestra {words.plain(row.tool_version)}" if row.tool_version else ""),
        ("Plan", words.plain(row.plan_hash or "")),
        ("Applied in", words.transactions(deployment)),
    ]
    parts = ["\n".join(f"{style.dim(pad(name, 12))} {value}" for name, value in rows if value)]
    changes = [masked.change(c) for c in deployment.changes]
    if changes:
        parts.append("\n".join(["Symbols:", *legend(changes, style)]))
        parts.append(plan_text.changes(changes, style, full=full))
    parts.append(style.bold(f"Deployment #{deployment.number}: {words.counts(deployment)}."))
    return "\n\n".join(parts) + "\n"
