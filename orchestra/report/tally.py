"""A table of a large plan: how many of each kind."""

from __future__ import annotations

from collections.abc import Sequence

from orchestra.plan.model import Change, tally
from orchestra.report.style import Style
from orchestra.report.words import kind, plural_of


def table(changes: Sequence[Change], style: Style) -> list[str]:
    """A head and one row a kind, in the order in which the kinds first come."""
    kinds = list(dict.fromkeys(change.address.kind for change in changes))
    names = {name: plural_of(kind(name)) for name in kinds}
    first = max(map(len, names.values()))
    out = [style.dim(" " * (first + 2) + "".join(word.rjust(10) for word in tally(())))]
    for name in kinds:
        numbers = tally(change for change in changes if change.address.kind == name)
        cells = "".join((f"{n:,}" if n else "-").rjust(10) for n in numbers.values())
        out.append(f"  {names[name].ljust(first)}{cells}")
    return out
