"""Which changes of a large plan are shown, and which are only counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from orchestra.plan.model import Action, Change

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

    Alike are changes of one kind and action for the same reasons and in the same fields. A change of what
    exists that has a hazard, drift, or a fact about the live database is never hidden: a reader has to see
    it.
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
    exists = change.action is not Action.CREATE
    if any(hazard.needs_approval for hazard in change.hazards) or change.drift or (exists and change.facts):
        return change.address
    hazards = tuple(hazard.code for hazard in change.hazards)
    fields = tuple(field.path for field in change.fields)
    moved = change.moved_from is not None
    return change.address.kind, change.action, change.category, change.reasons, fields, hazards, moved
