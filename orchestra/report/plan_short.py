"""A plan in a few lines, for whoever has just saved the spec and knows what is meant."""

from __future__ import annotations

from typing import Final

from orchestra.plan.model import Action, Change, FieldChange, Plan
from orchestra.report import masked
from orchestra.report.cells import cut, visible, wrap
from orchestra.report.style import PLAIN, Style
from orchestra.report.symbols import SYMBOLS
from orchestra.report.values import brief, is_long
from orchestra.report.words import count, kind

MOST_CHANGES: Final = 8
MOST_FIELDS: Final = 3
LONGEST: Final = 40
"""Cells of a value."""


def render(plan: Plan, style: Style = PLAIN) -> list[str]:
    """A line for each change; where that is more than a look can take in, how many of each kind. None is wider than
    `style` says."""
    changes = masked.plan(plan).changes
    if len(changes) <= MOST_CHANGES:
        return [_line(change, style) for change in changes]
    lines: list[str] = []
    for action in SYMBOLS:
        if same := [c for c in changes if c.action is action]:
            first, *rest = wrap(_counts(same), style.width - 4)
            lines += [f"{_sign(action, style)} {first}", *(f"    {line}" for line in rest)]
    return lines


def _counts(changes: list[Change]) -> str:
    """`5 workloads, 4 queues, 10 cron jobs`: what a spec is about first."""
    kinds = sorted({c.address.kind for c in changes}, key=lambda k: (k != "workload", k))
    return ", ".join(count(sum(c.address.kind == k for c in changes), kind(k)) for k in kinds)


def _sign(action: Action, style: Style) -> str:
    return style.paint(SYMBOLS[action].sign.rjust(3), "bold", SYMBOLS[action].look)


def _line(change: Change, style: Style) -> str:
    address = visible(str(change.address), keep="")
    fields = [_field(f) for f in change.fields] if change.action is Action.UPDATE else []
    more = ", ".join(fields[:MOST_FIELDS]) + (", …" if len(fields) > MOST_FIELDS else "")
    text = cut(f"{address}  {more}".rstrip(), style.width - 4)
    said = style.bold(text[: len(address)]) + text[len(address) :]
    return f"{_sign(change.action, style)} {said}"


def _field(field: FieldChange) -> str:
    """`max_attempts 3 → 5`; of a long value only that it is another."""
    name = visible(field.path, keep="")
    if any(is_long(value) or len(brief(value)) > LONGEST for value in (field.before, field.after)):
        return name
    return f"{name} {brief(field.before)} → {brief(field.after)}"
