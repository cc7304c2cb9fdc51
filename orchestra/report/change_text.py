"""One change of a plan, as text."""

from __future__ import annotations

from orchestra.plan.model import Action, Change, FieldChange, Hazard
from orchestra.report.cells import pad, visible, width, wrap
from orchestra.report.style import Style
from orchestra.report.symbols import DRIFT, SYMBOLS
from orchestra.report.values import brief, diff, is_long, lines
from orchestra.report.words import count

INDENT = " " * 6
DEEPER = " " * 8
WIDEST_NAME = 28
WIDEST_OLD = 24
MOST_GONE = 6
LONGEST_BLOCK = 12
"""Lines of one new or removed value that are shown; `full` shows all."""


def render(change: Change, style: Style, *, full: bool = False, show_sql: bool = False) -> list[str]:
    """Sign, address and category; then why, what changes, what is true now, and what is dangerous."""
    out = [_head(change, style)]
    if change.moved_from is not None:
        out.append(INDENT + f"moved from {style.bold(visible(str(change.moved_from), keep=''))}")
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
    mark = f"  {DRIFT}" if change.drift else ""
    category = change.category.value
    gap = style.width - 6 - width(address + mark) - len(category)
    head = f"{style.paint(symbol.sign.rjust(5), 'bold', symbol.look)} {style.bold(address)}"
    return f"{head}{style.paint(mark, 'magenta')}{' ' * max(2, gap)}{style.dim(category)}"


def _fields(change: Change, style: Style, full: bool) -> list[str]:
    """Names, old and new values each in a column of their own; what does not fit is a diff below its name."""
    names = min(max((width(field.path) for field in change.fields), default=0), WIDEST_NAME) + 1
    short = [f for f in change.fields if f.before is not None and not is_long(f.before)]
    old = max((w for f in short if (w := width(brief(f.before))) <= WIDEST_OLD), default=0)
    out: list[str] = []
    shown = change.fields if full else _telling(change)
    for field in shown:
        out += _field(field, change.action, names, old, style, full)
    if len(shown) < len(change.fields) and change.action is not Action.CREATE:
        left = len(change.fields) - len(shown)
        out.append(INDENT + style.dim(f"… {count(left, 'more field')} (--full shows all)"))
    return out


def _telling(change: Change) -> tuple[FieldChange, ...]:
    """Without what says nothing: empty values of something new, and all but a few of something that goes."""
    match change.action:
        case Action.CREATE:
            return tuple(field for field in change.fields if field.after not in ([], {}, ""))
        case Action.DELETE | Action.FORGET:
            return tuple(f for f in change.fields if f.before not in ([], {}, "", False, 0))[:MOST_GONE]
        case _:
            return change.fields


def _field(field: FieldChange, action: Action, names: int, old: int, style: Style, full: bool) -> list[str]:
    name = visible(field.path, keep="") + ":"
    before, after = field.before, field.after
    if not is_long(before) and not is_long(after):
        plain, painted = _one_line(field, action, old, style)
        if width(plain) <= style.width - len(INDENT) - max(names, width(name)) - 1:
            return [f"{INDENT}{pad(name, names)} {painted}"]
    if before is None:
        return [f"{INDENT}{name}", *_block([f"+ {row}" for row in lines(after)], "green", style, full)]
    if after is None:
        return [f"{INDENT}{name}", *_block([f"- {row}" for row in lines(before)], "red", style, full)]
    return [f"{INDENT}{name}", *_diff(diff(lines(before), lines(after)), style)]


def _one_line(field: FieldChange, action: Action, old: int, style: Style) -> tuple[str, str]:
    """The plain text, for its width, and the painted one."""
    before, after = brief(field.before), brief(field.after)
    if action in (Action.CREATE, Action.ADOPT) and field.before is None:
        return after, after
    if action in (Action.DELETE, Action.FORGET) and field.after is None:
        return before, before
    before = pad(before, old)
    arrow = style.dim("->")
    return f"{before} -> {after}", f"{style.paint(before, 'red')} {arrow} {style.paint(after, 'green')}"


def _block(rows: list[str], look: str, style: Style, full: bool) -> list[str]:
    """Lines of one value, all of one sign; only the first dozen of them unless `full`."""
    folded = [part for row in rows for part in _folded(row, style)]
    shown = folded if full or len(folded) <= LONGEST_BLOCK else folded[: LONGEST_BLOCK - 1]
    out = [DEEPER + style.paint(row, look) for row in shown]
    if len(shown) < len(folded):
        out.append(DEEPER + style.dim(f"… {count(len(folded) - len(shown), 'more line')} (--full shows all)"))
    return out


def _diff(rows: list[str], style: Style) -> list[str]:
    looks = {"+": "green", "-": "red"}
    out = []
    for row in rows:
        if row == "@@":
            out.append(DEEPER + style.dim("…"))
            continue
        parts = _folded(f"{row[0]} {row[1:]}".rstrip(), style)
        out += [DEEPER + style.paint(part, looks.get(row[0], "dim")) for part in parts]
    return out


def _folded(row: str, style: Style) -> list[str]:
    """A row that starts with its sign, in as many lines as it takes; the sign stands before the first."""
    room = style.width - len(DEEPER)
    if width(row) <= room:
        return [row]
    body = row[2:].lstrip()
    lead = row[: len(row) - len(body)]
    first, *more = wrap(body, max(20, room - len(lead)))
    return [lead + first, *(" " * (len(lead) + 2) + line for line in more)]


def _facts(change: Change, style: Style) -> list[str]:
    column = max((width(fact.name) for fact in change.facts), default=0)
    out: list[str] = []
    for fact in change.facts:
        head = f"{INDENT}{style.paint('· ' + pad(visible(fact.name, keep=''), column), 'blue')}  "
        hang = len(INDENT) + column + 4
        first, *more = wrap(visible(fact.value), max(30, style.width - hang))
        out += [head + first, *(" " * hang + line for line in more)]
    return out


def _hazard(hazard: Hazard, style: Style) -> list[str]:
    look = "yellow" if hazard.approved or not hazard.needs_approval else "red"
    first, *more = wrap(visible(f"{hazard.code}: {hazard.message}"), style.width - len(DEEPER))
    out = [f"{INDENT}{style.paint('⚠ ' + first, 'bold', look)}"]
    out += [DEEPER + style.paint(line, look) for line in more]
    if hazard.needs_approval and hazard.approved:
        by = visible(hazard.approver)
        out += [DEEPER + line for line in wrap(f"approved by {by}", style.width - len(DEEPER))]
    elif hazard.needs_approval:
        needed = visible(hazard.needed)
        out.append(f"{DEEPER}needs {style.bold(needed)}")
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
