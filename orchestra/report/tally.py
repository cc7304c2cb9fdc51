"""A table of a large plan: how many of each kind."""

from __future__ import annotations

from collections.abc import Sequence

from orchestra.plan.model import Action, Change
from orchestra.report.style import Style
from orchestra.report.words import kind, plural_of

_COLUMNS = {
    "add": (Action.CREATE, Action.ADOPT, Action.REPLACE),
    "change": (Action.UPDATE,),
    "destroy": (Action.DELETE, Action.FORGET, Action.REPLACE),
}


def tally(changes: Sequence[Change], style: Style) -> list[str]:
    """A head and one row a kind, in the order in which the kinds first come."""
    kinds = list(dict.fromkeys(change.address.kind for change in changes))
    names = {name: plural_of(kind(name)) for name in kinds}
    first = max(map(len, names.values()))
    out = [style.dim(" " * (first + 2) + "".join(word.rjust(10) for word in _COLUMNS))]
    for name in kinds:
        of_kind = [change.action for change in changes if change.address.kind == name]
        numbers = [sum(action in actions for action in of_kind) for actions in _COLUMNS.values()]
        cells = "".join((f"{n:,}" if n else "-").rjust(10) for n in numbers)
        out.append(f"  {names[name].ljust(first)}{cells}")
    return out
