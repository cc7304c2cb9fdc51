"""The changes of a page: each folded under its name, until the room for details is used up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from orchestra.ir.program import Json
from orchestra.plan.model import Change, FieldChange, Hazard
from orchestra.report.budget import Budget, octets
from orchestra.report.cells import cut
from orchestra.report.change_words import gist
from orchestra.report.html.escape import LOOKS, line, text
from orchestra.report.symbols import SYMBOLS
from orchestra.report.values import brief, diff, is_long, lines
from orchestra.report.words import count

DETAILS = 2_600_000
ROWS = 700_000
"""Bytes for changes with their details, and for those of which only a line is shown."""
LONGEST = 100_000
"""Characters of one statement or value."""
OPENED = 5
GIST = 220


def render(ordered: Sequence[Change]) -> str:
    """The gravest first. What has no room for its details is shown in a line, and what has none for that is counted."""
    details, rows = Budget(DETAILS, octets), Budget(ROWS, octets)
    out: list[str] = []
    opened = 0
    left = 0
    for change in ordered:
        open_it = opened < OPENED and any(h.needs_approval and not h.approved for h in change.hazards)
        block = _whole(change, open_it) if details.room > 0 else ""
        if block and details.take(block):
            opened += open_it
            out.append(block)
            continue
        row = _bare(change)
        if rows.take(row):
            out.append(row)
        else:
            left += 1
    if left:
        out.append(f'<p class="note">… and {left:,} more changes, which this page has no room for.</p>')
    return "\n".join(out)


def classes(change: Change) -> str:
    """What the filter goes by."""
    found = ["c", LOOKS[change.action]]
    found += ["hazard"] if change.hazards else []
    found += ["drift"] if change.drift else []
    found += ["moved"] if change.moved_from else []
    return " ".join(found)


def _whole(change: Change, opened: bool) -> str:
    body = "".join(_body(change))
    return (
        f'<details class="{classes(change)}"{" open" if opened else ""}><summary>{_head(change)}</summary>'
        f'<div class="b">{body}</div></details>'
    )


def _bare(change: Change) -> str:
    return f'<div class="{classes(change)}"><p class="s">{_head(change)}</p></div>'


def _head(change: Change) -> str:
    symbol = SYMBOLS[change.action]
    tags = [f"<i>{change.category.value}</i>"]
    tags += ['<i class="drift">drift</i>'] if change.drift else []
    tags += [f'<i class="{_weight(h)}">{line(h.code)}</i>' for h in change.hazards[:4]]
    said = line(cut("; ".join(gist(change)), GIST))
    return (
        f'<b class="sign" title="{line(symbol.verb)}">{line(symbol.sign)}</b> '
        f"<span class=a><b>{line(change.address.kind)}</b>.{line(change.address.name)}</span> "
        f"<span class=g>{''.join(tags)}</span><small>{said}</small>"
    )


def _weight(hazard: Hazard) -> str:
    if not hazard.needs_approval:
        return "mild"
    return "approved" if hazard.approved else "grave"


def _body(change: Change) -> Iterator[str]:
    said = [*change.reasons]
    said += [f"moved from {change.moved_from}"] if change.moved_from else []
    if said:
        yield f"<p>{'<br>'.join(map(text, said))}</p>"
    yield from (hazard(item) for item in change.hazards)
    if change.facts:
        rows = "".join(f"<dt>{line(f.name)}</dt><dd>{text(f.value)}</dd>" for f in change.facts)
        yield f'<dl class="facts">{rows}</dl>'
    if change.fields:
        rows = "".join(map(_field, change.fields))
        yield f"<table class=fields><tr><th>field<th>before<th>after</tr>{rows}</table>"
    if change.statements:
        number = count(len(change.statements), "statement")
        code = "".join(f"<pre>{_code(s.strip().rstrip(';') + ';')}</pre>" for s in change.statements)
        yield f"<details class=sql><summary>SQL, {number}</summary>{code}</details>"


def hazard(item: Hazard, name: str = "") -> str:
    """What is dangerous, and who says that it may be; `name`, as HTML, says of what where that is not clear."""
    said = f"<b>{line(item.code)}</b> {name}{text(item.message)}"
    if item.needs_approval and item.approved:
        said += f"<br>approved by <code>{line(item.approver)}</code>"
    elif item.needs_approval:
        said += f"<br>needs <code>{line(item.needed)}</code>"
    return f'<p class="h {_weight(item)}">{said}</p>'


def _field(change: FieldChange) -> str:
    name = f"<th>{line(change.path)}"
    if is_long(change.before) or is_long(change.after):
        return f"<tr>{name}<td colspan=2><pre>{_lines(change)}</pre></tr>"
    return f"<tr>{name}{_cell(change.before, 'del')}{_cell(change.after, 'ins')}</tr>"


def _cell(value: Json, tag: str) -> str:
    if value is None:
        return "<td>"
    return f"<td><{tag}>{_code(brief(value))}</{tag}>"


def _lines(change: FieldChange) -> str:
    """A value of several lines: what goes, what comes, and a little of what stays."""
    if change.before is None:
        rows = [f"+{row}" for row in lines(change.after)]
    elif change.after is None:
        rows = [f"-{row}" for row in lines(change.before)]
    else:
        rows = diff(lines(change.before), lines(change.after))
    tags = {"+": "ins", "-": "del"}
    out = []
    for row in _most(rows):
        shown = text(row if row == "@@" else f"{row[:1]} {row[1:]}")
        tag = tags.get(row[:1])
        out.append(f"<{tag}>{shown}</{tag}>" if tag else f"<span>{shown}</span>")
    return "".join(out)


def _most(rows: Sequence[str]) -> Iterator[str]:
    left = LONGEST
    for position, row in enumerate(rows):
        left -= len(row)
        if left < 0:
            yield f" … {len(rows) - position:,} more lines"
            return
        yield row


def _code(value: str) -> str:
    if len(value) <= LONGEST:
        return text(value)
    return f"{text(value[:LONGEST])}\n… {len(value) - LONGEST:,} more characters"
