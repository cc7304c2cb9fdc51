"""One change of a plan, as text."""

from __future__ import annotations

from orchestra.plan.model import Action, Change, FieldChange, Hazard
from orchestra.report.cells import cut, pad, visible, width, wrap
from orchestra.report.style import Style
from orchestra.report.symbols import SYMBOLS
from orchestra.report.values import brief, diff, lines

INDENT = " " * 6
DEEPER = " " * 8
LONGEST_BLOCK = 12
"""Lines of one new or removed value that are shown; `full` shows all."""


def render(change: Change, style: Style, *, full: bool = False, show_sql: bool = False) -> list[str]:
    """Sign, address and category; then why, what changes, what is true now, and what is dangerous."""
    out = [_head(change, style)]
    for reason in change.reasons:
        out += [INDENT + style.dim(line) for line in wrap(visible(reason), style.width - len(INDENT))]
    out += _fields(change, style, full)
    out += _facts(change, style)
    for hazard in change.hazards:
        out += _hazard(hazard, style)
    if show_sql and change.statements:
        out += _statements(change, style)
    return out


def _head(change: Change, style: Style) -> str:
    symbol = SYMBOLS[change.action]
    address = visible(str(change.address), keep="")
    mark = "  changed outside orchestra" if change.drift else ""
    category = change.category.value
    gap = style.width - 6 - width(address + mark) - len(category)
    head = f"{style.paint(symbol.sign.rjust(5), 'bold', symbol.look)} {style.bold(address)}"
    return f"{head}{style.paint(mark, 'magenta')}{' ' * max(2, gap)}{style.dim(category)}"


def _fields(change: Change, style: Style, full: bool) -> list[str]:
    names = [field.path for field in change.fields]
    column = min(max(map(width, names), default=0), 28) + 1
    out: list[str] = []
    for field in change.fields:
        out += _field(field, change.action, column, style, full)
    return out


def _field(field: FieldChange, action: Action, column: int, style: Style, full: bool) -> list[str]:
    name = visible(field.path, keep="") + ":"
    before, after = lines(field.before), lines(field.after)
    if before is None and after is None:
        line = _one_line(field, action, style)
        if width(line[0]) <= style.width - len(INDENT) - column - 1:
            return [f"{INDENT}{pad(name, column)} {line[1]}"]
    if field.before is None or field.after is None:
        sign, look = ("+", "green") if field.before is None else ("-", "red")
        rows = [f"{sign} {row}" for row in (before or after or _short(field.before or field.after))]
        return [f"{INDENT}{name}", *_block(rows, look, style, full)]
    both = diff(before or _short(field.before), after or _short(field.after))
    return [f"{INDENT}{name}", *_diff(both, style, full)]


def _one_line(field: FieldChange, action: Action, style: Style) -> tuple[str, str]:
    """The plain text, for its width, and the painted one."""
    before, after = brief(field.before), brief(field.after)
    if action in (Action.CREATE, Action.ADOPT) and field.before is None:
        return after, after
    if action in (Action.DELETE, Action.FORGET) and field.after is None:
        return before, before
    if field.before is None:
        before = "(none)"
    if field.after is None:
        after = "(none)"
    arrow = style.dim("->")
    return f"{before} -> {after}", f"{style.paint(before, 'red')} {arrow} {style.paint(after, 'green')}"


def _short(value: object) -> list[str]:
    return [brief(value)]  # type: ignore[arg-type]


def _block(rows: list[str], look: str, style: Style, full: bool) -> list[str]:
    shown = rows if full or len(rows) <= LONGEST_BLOCK else rows[: LONGEST_BLOCK - 1]
    room = style.width - len(DEEPER)
    out = [DEEPER + style.paint(row if full else cut(row, room), look) for row in shown]
    if len(shown) < len(rows):
        out.append(DEEPER + style.dim(f"… {len(rows) - len(shown)} more lines"))
    return out


def _diff(rows: list[str], style: Style, full: bool) -> list[str]:
    looks = {"+": "green", "-": "red"}
    out = []
    for row in rows:
        if row == "@@":
            out.append(DEEPER + style.dim("…"))
            continue
        text = f"{row[0]} {row[1:]}".rstrip()
        text = text if full else cut(text, style.width - len(DEEPER))
        out.append(DEEPER + style.paint(text, looks.get(row[0], "dim")))
    return out


def _facts(change: Change, style: Style) -> list[str]:
    column = max((width(fact.name) for fact in change.facts), default=0)
    out: list[str] = []
    for fact in change.facts:
        head = f"{INDENT}{style.paint('now', 'blue')} {pad(visible(fact.name, keep=''), column)}  "
        hang = len(INDENT) + column + 6
        first, *more = wrap(visible(fact.value), max(30, style.width - hang))
        out += [head + first, *(" " * hang + line for line in more)]
    return out


def _hazard(hazard: Hazard, style: Style) -> list[str]:
    look = "yellow" if hazard.approved or not hazard.needs_approval else "red"
    first, *more = wrap(visible(f"{hazard.code}: {hazard.message}"), style.width - len(DEEPER))
    out = [f"{INDENT}{style.paint('⚠ ' + first, 'bold', look)}"]
    out += [DEEPER + style.paint(line, look) for line in more]
    if hazard.needs_approval and hazard.approved:
        out.append(f"{DEEPER}approved by {visible(hazard.approval) or 'a flag'}")
    elif hazard.needs_approval:
        out.append(f"{DEEPER}needs {style.bold(visible(hazard.approval) or 'an approval')}")
    return out


def _statements(change: Change, style: Style) -> list[str]:
    out = [
        INDENT
        + style.dim(f"sql, {len(change.statements)} of them:" if len(change.statements) > 1 else "sql:")
    ]
    for statement in change.statements:
        text = visible(statement).strip().rstrip(";") + ";"
        out += [(DEEPER + style.paint(line, "cyan")).rstrip() if line else "" for line in text.split("\n")]
    return out
