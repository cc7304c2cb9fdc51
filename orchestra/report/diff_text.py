"""The difference of two specs as text: what a plan would show, without what only a database can tell."""

from __future__ import annotations

from orchestra.plan.model import Difference
from orchestra.report import load_text, masked, plan_text
from orchestra.report.cells import visible, wrap
from orchestra.report.style import PLAIN, Style

_COUNTED = frozenset({"messages", "fewer_attempts", "contract"})
UNKNOWN = "How many messages wait only a plan can tell: orchestra plan."


def render(found: Difference, style: Style = PLAIN, *, full: bool = False) -> str:
    """Changes, conditions, what would block, loads, and a line that counts the changes."""
    found = masked.difference(found)
    parts = [_header(found, style)] if found.base else []
    if found.changes:
        parts.append(plan_text.symbols(found.changes, style))
        parts.append(plan_text.changes(found.changes, style, full=full))
    if found.conditions:
        parts.append(plan_text.conditions(found.conditions, style, full=full))
    if found.blockers:
        parts.append(plan_text.blocked("What a plan would refuse:", found.blockers, style, full=full))
    if found.load is not None and (lines := load_text.render(found.load, style, full=full)):
        parts.append("\n".join(lines))
    if asked := list(_approval(found, style)):
        parts.append("\n".join(asked))
    parts.append(_closing(found, style))
    return "\n\n".join(parts) + "\n"


def _header(found: Difference, style: Style) -> str:
    rows = (("Project", style.bold(visible(found.project, keep=""))), ("Base", visible(found.base, keep="")))
    return "\n".join(f"{style.dim(name.ljust(12))} {value}" for name, value in rows)


def _approval(found: Difference, style: Style) -> list[str]:
    hazards = [h for c in found.changes for h in c.hazards]
    lines = []
    if any(h.code in _COUNTED for h in hazards):
        lines += wrap(UNKNOWN, style.width)
    if key := plan_text.transition(found.transition, hazards, style):
        lines.append(key)
    return lines


def _closing(found: Difference, style: Style) -> str:
    if found.is_empty:
        return f"{style.paint('No changes.', 'bold', 'green')} Both specs compile to the same."
    return style.bold(found.summary)
