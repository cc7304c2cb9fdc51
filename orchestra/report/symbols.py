"""The signs and colours of the six actions, in plans and in diffs alike."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from orchestra.plan.model import Action
from orchestra.report.style import Style


@dataclass(frozen=True, slots=True)
class Symbol:
    sign: str
    look: str
    words: str
    verb: str
    """For "… and 4,950 more queues to create"."""


SYMBOLS = {
    Action.CREATE: Symbol("+", "green", "create", "create"),
    Action.UPDATE: Symbol("~", "yellow", "update in place", "update in place"),
    Action.REPLACE: Symbol("-/+", "red", "destroy and create again", "replace"),
    Action.DELETE: Symbol("-", "red", "destroy", "destroy"),
    Action.ADOPT: Symbol(">", "cyan", "adopt: make what exists ours, changing nothing in it", "adopt"),
    Action.FORGET: Symbol("<", "cyan", "forget: no longer ours, left as it is", "forget"),
}


def legend(actions: Iterable[Action], style: Style) -> list[str]:
    """The signs that this plan uses, no others."""
    used = set(actions)
    return [
        f"{style.paint(symbol.sign.rjust(5), 'bold', symbol.look)} {symbol.words}"
        for action, symbol in SYMBOLS.items()
        if action in used
    ]
