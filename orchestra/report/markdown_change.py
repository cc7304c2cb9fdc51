"""One change in markdown: a row of a table, and its details folded."""

from __future__ import annotations

from collections.abc import Iterator

from orchestra.plan.model import Change, FieldChange, Hazard
from orchestra.report.cells import cut, visible
from orchestra.report.change_words import gist
from orchestra.report.markdown_text import code, fence, html_code, row, table, text
from orchestra.report.symbols import DRIFT, SYMBOLS
from orchestra.report.values import brief, diff, is_long, lines
from orchestra.report.words import count

HEAD = ("", "Resource", "Category", "What changes")
LONGEST_CELL = 160
LONGEST_BLOCK = 4_000
"""Characters of one statement or of one value in several lines."""


def in_table(change: Change) -> str:
    """A row of the table of changes, of some 400 characters at most."""
    said = cut("; ".join(gist(change)), LONGEST_CELL)
    marks = [text(said)] if said else []
    marks += [f"**{text(h.code)}**" for h in change.hazards[:3]]
    drift = f" {DRIFT}" if change.drift else ""
    return row(
        code(SYMBOLS[change.action].sign), _name(change) + drift, change.category.value, ", ".join(marks)
    )


def details(change: Change) -> str:
    """Everything about it, folded under its name; its SQL folded once more."""
    symbol = SYMBOLS[change.action]
    name = html_code(cut(str(change.address), LONGEST_CELL))
    about = ", ".join(filter(None, (symbol.verb, change.category.value, "drift" if change.drift else "")))
    summary = f"<details><summary>{html_code(symbol.sign)} {name} {about}</summary>"
    return "\n\n".join([summary, *_parts(change), "</details>"])


def hazard(item: Hazard) -> str:
    """What is dangerous and who says that it may be."""
    said = f"**{text(item.code)}**: {text(cut(item.message, 600))}"
    if not item.needs_approval:
        return said
    if item.approved:
        return f"{said} (approved by {code(item.approver)})"
    return f"{said} (needs {code(item.needed)})"


def _name(change: Change) -> str:
    return code(cut(str(change.address), LONGEST_CELL))


def _parts(change: Change) -> Iterator[str]:
    said = [f"why: {text(cut(line, 600))}" for line in change.reasons]
    said += [f"moved from {code(str(change.moved_from))}"] if change.moved_from else []
    yield "\n".join(f"- {line}" for line in said) or "- why: not said"
    short = [f for f in change.fields if not is_long(f.before) and not is_long(f.after)]
    if short:
        yield "\n".join(table(("Field", "Before", "After"), [_row(f) for f in short]))
    for field in change.fields:
        if field not in short:
            yield f"Field {code(field.path)}:\n\n{_block(field)}"
    if change.facts:
        yield "\n".join(f"- now: {text(f.name)}: {text(cut(f.value, 600))}" for f in change.facts)
    if change.hazards:
        yield "\n".join(f"- hazard {hazard(item)}" for item in change.hazards)
    if change.statements:
        number = count(len(change.statements), "statement")
        whole = ";\n\n".join(s.strip().rstrip(";") for s in change.statements) + ";"
        yield f"<details><summary>SQL, {number}</summary>"
        yield fence(_shortened(whole), "sql")
        yield "</details>"


def _row(field: FieldChange) -> str:
    return row(code(field.path), _value(field.before), _value(field.after))


def _value(value: object) -> str:
    return "" if value is None else code(cut(brief(value), LONGEST_CELL))  # type: ignore[arg-type]


def _block(field: FieldChange) -> str:
    """Lines that go and lines that come, as GitHub colours them."""
    if field.before is None:
        rows = [f"+ {line}" for line in lines(field.after)]
    elif field.after is None:
        rows = [f"- {line}" for line in lines(field.before)]
    else:
        rows = [
            r if r == "@@" else f"{r[0]} {r[1:]}".rstrip()
            for r in diff(lines(field.before), lines(field.after))
        ]
    return fence(_shortened("\n".join(rows)), "diff")


def _shortened(code: str) -> str:
    """With whole lines left out at its end, or the rest of a line that alone is too long."""
    shown = visible(code, keep="\n\t")
    if len(shown) <= LONGEST_BLOCK:
        return shown
    kept = shown[:LONGEST_BLOCK]
    whole = kept.rpartition("\n")[0] if "\n" in kept[LONGEST_BLOCK // 2 :] else kept
    return f"{whole}\n… {len(shown) - len(whole):,} more characters"
