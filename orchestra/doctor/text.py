"""A diagnosis for people: groups, a line each, and the remedy below it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from orchestra.doctor.model import Check, Diagnosis, Group, State, Turn
from orchestra.report.cells import visible, wrap
from orchestra.report.style import PLAIN, Style
from orchestra.report.words import count

_SIGNS: Final = {
    State.OK: ("✓", "green"),
    State.WARNING: ("!", "yellow"),
    State.FAILED: ("✗", "red"),
    State.UNKNOWN: ("?", "cyan"),
}


def render(diagnosis: Diagnosis, style: Style = PLAIN) -> str:
    blocks = []
    for group in Group:
        checks = [c for c in diagnosis.checks if c.group is group]
        lines = [line for c in checks for line in _check(c, style)]
        if lines:
            blocks.append("\n".join([style.bold(group.value), *lines]))
    if diagnosis.turns and (len(diagnosis.turns) > 1 or diagnosis.turns[0].waits):
        blocks.append("\n".join([style.bold("Order"), *_turns(diagnosis.turns, style)]))
    return "\n\n".join([*blocks, _closing(diagnosis, style)]) + "\n"


def _check(check: Check, style: Style) -> Iterator[str]:
    sign, look = _SIGNS[check.state]
    first, *more = wrap(visible(check.message, keep=""), style.width - 4)
    yield f"  {style.paint(sign, 'bold', look)} {first}"
    yield from (f"    {line}" for line in more)
    arrow = f"{style.paint('→', look)} "
    for line in wrap(visible(check.remedy, keep=""), style.width - 6) if check.remedy else ():
        yield f"    {arrow}{style.dim(line)}"
        arrow = "  "
    if check.command:
        # Whole, however long: the terminal breaks it, and a copy of it is what was written.
        yield f"    {arrow}{visible(check.command, keep='')}"


def _turns(turns: tuple[Turn, ...], style: Style) -> Iterator[str]:
    for number, turn in enumerate(turns, 1):
        place = ", ".join(
            w
            for w in (turn.stage and f"stage {turn.stage}", turn.priority and f"priority {turn.priority}")
            if w
        )
        head = visible(f"{turn.project} ({place})" if place else turn.project, keep="")
        yield f"  {number}. {style.bold(head)}"
        for wait in turn.waits:
            first, *more = wrap(f"after {visible(wait, keep='')}", style.width - 5)
            yield f"     {first}"
            yield from (f"     {line}" for line in more)


def _closing(diagnosis: Diagnosis, style: Style) -> str:
    tally = diagnosis.tally()
    words = [f"{tally[State.OK]} ok"]
    if tally[State.WARNING]:
        words.append(count(tally[State.WARNING], "warning"))
    if tally[State.UNKNOWN]:
        words.append(f"{tally[State.UNKNOWN]} could not be asked")
    if diagnosis.failed:
        said = style.paint(f"{tally[State.FAILED]} failed.", "bold", "red")
    else:
        said = style.paint("Nothing failed.", "bold", "green")
    return f"{said} {', '.join(words)}."
