"""Which change a reviewer has to see first."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from orchestra.ir.category import Category
from orchestra.plan.model import Action, Change

_ACTIONS: Final = (
    Action.DELETE,
    Action.REPLACE,
    Action.UPDATE,
    Action.ADOPT,
    Action.FORGET,
    Action.CREATE,
)
_HEAVIEST_FIRST: Final = tuple(reversed(Category))


def gravest_first(changes: Iterable[Change]) -> list[Change]:
    """By what nobody has approved, then by hazards, by what is lost, by category; else in the plan's order."""
    return sorted(changes, key=_key)


def gravest_action(actions: Iterable[Action]) -> Action | None:
    """Of several changes that touch one thing, the one that it is marked with."""
    return min(actions, key=_ACTIONS.index, default=None)


def _key(change: Change) -> tuple[int, bool, int, int, bool]:
    unapproved = any(h.needs_approval and not h.approved for h in change.hazards)
    approved = any(h.needs_approval for h in change.hazards)
    danger = 0 if unapproved else 1 if approved else 2 if change.hazards else 3
    loses = change.action in (Action.DELETE, Action.REPLACE)
    new = change.action in (Action.CREATE, Action.FORGET)
    action = _ACTIONS.index(change.action)
    weight = _HEAVIEST_FIRST.index(change.category)
    return danger, not loses, action if new else 0, weight * 8 + action, not change.drift
