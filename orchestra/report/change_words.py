"""A change in one line of words, for tables and summaries."""

from __future__ import annotations

from orchestra.plan.model import Action, Change, FieldChange
from orchestra.report.cells import cut
from orchestra.report.groups import Group
from orchestra.report.symbols import SYMBOLS
from orchestra.report.values import brief, is_long
from orchestra.report.words import count, kind, plural_of

_SHORT = 40


def moved(change: Change) -> str:
    """`moved from workload.old`, or nothing."""
    return f"moved from {change.moved_from}" if change.moved_from else ""


def gist(change: Change) -> list[str]:
    """What a table says of a change: where it came from, its fields or its reasons, what is true of it now."""
    parts = [moved(change)] if change.moved_from else []
    if change.action in (Action.UPDATE, Action.REPLACE) and change.fields:
        parts += [_field(f) for f in change.fields[:3]]
        parts += [count(len(change.fields) - 3, "more field")] if len(change.fields) > 3 else []
    else:
        parts += change.reasons[:1]
        if change.action in (Action.CREATE, Action.ADOPT):
            parts += [_value(f) for f in change.fields if _tells(f)][:2]
    return [*parts, *(f"{fact.name}: {fact.value}" for fact in change.facts)]


def _field(change: FieldChange) -> str:
    if is_long(change.before) or is_long(change.after):
        return change.path
    return f"{change.path}: {cut(brief(change.before), _SHORT)} -> {cut(brief(change.after), _SHORT)}"


def _tells(change: FieldChange) -> bool:
    return change.after not in (None, [], {}, "", False) and not is_long(change.after)


def _value(change: FieldChange) -> str:
    return f"{change.path}: {cut(brief(change.after), _SHORT)}"


def more(group: Group) -> str:
    """`4,995 more queues to create`."""
    first = group.hidden[0]
    noun = kind(first.address.kind)
    return f"{group.count:,} more {noun if group.count == 1 else plural_of(noun)} to {SYMBOLS[first.action].verb}"
