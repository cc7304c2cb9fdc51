"""Keeps the texts that many plans have in common once: a first apply holds the whole runtime, in every database."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from orchestra.plan.model import Change, Plan

LONG: Final = 1_000
"""Characters from which on a text is worth it."""


class Texts:
    """The long statements of all plans that it was shown."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}

    def shared(self, plan: Plan) -> Plan:
        """An equal plan, whose long statements are the same objects as those of the plans before."""
        return replace(plan, changes=tuple(self._change(change) for change in plan.changes))

    def _change(self, change: Change) -> Change:
        if not any(len(statement) >= LONG for statement in change.statements):
            return change
        texts = (self._known.setdefault(s, s) if len(s) >= LONG else s for s in change.statements)
        return replace(change, statements=tuple(texts))
