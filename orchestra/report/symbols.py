"""The signs and colours of the six actions, in plans and in diffs alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from orchestra.plan.model import Action, Change
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
    Action.ADOPT: Symbol(">", "cyan", "adopt: make what exists ours, as the fields below say", "adopt"),
    Action.FORGET: Symbol("<", "cyan", "forget: no longer ours; what is there of it stays", "forget"),
}


DRIFT = "(drift)"


def legend(changes: Sequence[Change], style: Style) -> list[str]:
    """The signs that these changes use, no others."""
    used = {change.action for change in changes}
    lines = [
        f"{style.paint(symbol.sign.rjust(5), 'bold', symbol.look)} {symbol.words}"
        for action, symbol in SYMBOLS.items()
        if action in used
    ]
    if any(change.drift for change in changes):
        lines.append(f"{style.paint(DRIFT, 'magenta')} changed outside orchestra since its last apply")
    return lines
