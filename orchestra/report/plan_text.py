"""A plan as text: whose database, what would change, what stands in the way, and a line that counts it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from orchestra.plan.model import Blocker, Change, Condition, Hazard, Plan, Target
from orchestra.report import change_text, masked, verdict
from orchestra.report.cells import visible, wrap
from orchestra.report.groups import Group, grouped
from orchestra.report.style import PLAIN, Style
from orchestra.report.symbols import SYMBOLS, legend
from orchestra.report.tally import table
from orchestra.report.words import kind, plural_of

MOST_ALIKE = 4


def render(plan: Plan, style: Style = PLAIN, *, show_sql: bool = False, full: bool = False) -> str:
    """The whole plan. `show_sql` adds the statements, `full` sums nothing up."""
    plan = masked.plan(plan)
    parts = [_header(plan, style)]
    if plan.changes:
        parts.append(symbols(plan.changes, style))
        parts.append(changes(plan.changes, style, show_sql=show_sql, full=full))
    if plan.conditions:
        parts.append(conditions(plan.conditions, style, full=full))
    if plan.blockers:
        parts.append(blocked("This plan cannot be applied:", plan.blockers, style, full=full))
    if key := transition(plan.transition, [h for c in plan.changes for h in c.hazards], style):
        parts.append(key)
    if len(plan.batches) > 1:
        parts.append(_batches(plan, style))
    if len(plan.changes) >= 20:
        parts.append("\n".join(table(plan.changes, style)))
    parts.append(_closing(plan, style))
    return "\n\n".join(parts) + "\n"


def changes(
    items: Sequence[Change], style: Style = PLAIN, *, show_sql: bool = False, full: bool = False
) -> str:
    """The changes alone, each with an empty line after it; many that are alike are summed up."""
    blocks: list[str] = []
    for group in grouped(items, full=full):
        for change in group.shown:
            blocks.append("\n".join(change_text.render(change, style, full=full, show_sql=show_sql)))
        if group.hidden:
            blocks.append(_more(group, style))
    return "\n\n".join(blocks)


def conditions(items: Sequence[Condition], style: Style = PLAIN, *, full: bool = False) -> str:
    """What holds and is no change; shown by a plan and again after an apply."""
    return _notes("Conditions, not changes:", "!", "yellow", items, style, full)


def blocked(title: str, items: Sequence[Blocker], style: Style = PLAIN, *, full: bool = False) -> str:
    """What stands in the way."""
    return _notes(title, "✗", "red", items, style, full)


def transition(key: str, hazards: Iterable[Hazard], style: Style = PLAIN) -> str:
    """The key of approvals, and what it is good for while something needs one; nothing where nothing ever did."""
    needing = [h for h in hazards if h.needs_approval]
    if not key or not needing:
        return ""
    said = f"{style.dim('Transition'.ljust(12))} {key}"
    if all(h.approved for h in needing):
        return said
    return f"{said}\n{' ' * 13}{style.dim('what orchestra approve writes for it counts wherever the same happens')}"


def _header(plan: Plan, style: Style) -> str:
    target = [(name, visible(value, keep="")) for name, value in verdict.about(plan.target)]
    rows = [("Project", style.bold(visible(plan.project, keep=""))), *target]
    return "\n".join(f"{style.dim(name.ljust(12))} {value}" for name, value in rows)


def database(target: Target) -> str:
    """`postgres on db.example.com`, fit for a terminal."""
    return visible(verdict.database(target), keep="")


def symbols(changes: Sequence[Change], style: Style) -> str:
    return "\n".join(["Symbols:", *legend(changes, style)])


def _more(group: Group, style: Style) -> str:
    first = group.hidden[0]
    symbol = SYMBOLS[first.action]
    noun = kind(first.address.kind)
    words = f"… and {group.count:,} more {noun if group.count == 1 else plural_of(noun)} to {symbol.verb}"
    last = visible(group.hidden[-1].address.name, keep="")
    sign = style.paint(symbol.sign.rjust(5), "bold", symbol.look)
    return f"{sign} {words} {style.dim(f'(up to {last}; --full shows all)')}"


def _notes(
    title: str, sign: str, look: str, items: Sequence[Condition | Blocker], style: Style, full: bool
) -> str:
    """A title and an entry for each item; many of one code are counted after the second."""
    lines = [style.paint(title, "bold", *(["red"] if look == "red" else []))]
    for code in dict.fromkeys(item.code for item in items):
        alike = [item for item in items if item.code == code]
        shown = alike if full or len(alike) <= MOST_ALIKE else alike[:2]
        for item in shown:
            lines += _note(sign, look, item, style)
        if len(shown) < len(alike):
            lines.append(
                style.dim(f"    … and {len(alike) - len(shown):,} more like these (--full shows all)")
            )
    return "\n".join(lines)


def _note(sign: str, look: str, item: Condition | Blocker, style: Style) -> list[str]:
    indent = " " * 4
    name = visible(str(item.address), keep="")
    message = visible(item.message)
    # A message that speaks of the address itself needs no name before it.
    text = message if name in message else f"{name}: {message}"
    first, *more = wrap(text, style.width - len(indent))
    lines = [f"  {style.paint(sign, 'bold', look)} {first.replace(name, style.bold(name), 1)}"]
    lines += [indent + line for line in more]
    if item.remedy:
        lines += [indent + style.dim(line) for line in wrap(visible(item.remedy), style.width - len(indent))]
    return lines


def _batches(plan: Plan, style: Style) -> str:
    sizes = [size for size in plan.batches if size]
    words = (
        f"This plan is cut into {len(plan.batches)} transactions, of at most {max(sizes, default=0):,} "
        "changes each, "
        "because the server's lock table (max_locks_per_transaction) cannot hold all of it at once. Each "
        "transaction "
        "is proved by itself; an apply that stops between two of them goes on from there when it is run "
        "again."
    )
    return "\n".join(wrap(words, style.width))


def _drift(plan: Plan, style: Style) -> str:
    """What `--refresh-only` ends with."""
    said = verdict.drift(plan.changes, plan.conditions)
    if said is None:
        return f"{style.paint('No drift.', 'bold', 'green')} {verdict.AS_LEFT}"
    advice = ["orchestra apply makes what was changed as the spec says."] if plan.changes else []
    return "\n".join([style.bold(said), *(style.dim(a) for a in advice)])


def _closing(plan: Plan, style: Style) -> str:
    if plan.refresh_only:
        return _drift(plan, style)
    if plan.is_empty and plan.blockers:
        return style.bold("No changes planned.")
    if plan.is_empty:
        rest = verdict.in_step(plan.unchanged, destroying=plan.destroying)
        return f"{style.paint('No changes.', 'bold', 'green')} {rest}"
    return style.bold(plan.summary)
