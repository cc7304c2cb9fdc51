"""Which changes of a large plan are shown, and which are only counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from orchestra.plan.model import Change

LIMIT = 20
SHOWN = 5


@dataclass(frozen=True, slots=True)
class Group:
    """Changes that are alike: `shown` in full, `hidden` in one line."""

    shown: tuple[Change, ...]
    hidden: tuple[Change, ...] = ()

    @property
    def count(self) -> int:
        return len(self.hidden)


def grouped(changes: Sequence[Change], *, full: bool = False) -> list[Group]:
    """Groups in the order in which their first change comes. Of more than 20 that are alike 5 are shown.

    Alike are changes of one kind and action for the same reasons and in the same fields. A change with a hazard, a
    fact about the live database or drift is never hidden: a reader has to see it.
    """
    if full or len(changes) <= LIMIT:
        return [Group(tuple(changes))] if changes else []
    alike: dict[object, list[Change]] = {}
    for change in changes:
        alike.setdefault(_likeness(change), []).append(change)
    return [
        Group(tuple(group)) if len(group) <= LIMIT else Group(tuple(group[:SHOWN]), tuple(group[SHOWN:]))
        for group in alike.values()
    ]


def _likeness(change: Change) -> object:
    if change.hazards or change.facts or change.drift:
        return change.address
    fields = tuple(field.path for field in change.fields)
    return change.address.kind, change.action, change.category, change.reasons, fields
