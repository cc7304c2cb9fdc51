"""A table as wide as the terminal is: columns that say nothing are left out, then those that matter least."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from orchestra.report.cells import cut, width
from orchestra.report.style import Style

GAP: Final = 2
NOTHING: Final = "-"


@dataclass(frozen=True, slots=True)
class Cell:
    """`looks` are those of `Style.paint`."""

    text: str = NOTHING
    looks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Column:
    """`weight` 0 is never left out; of the others the heaviest goes first. `what` is what the footnote calls it."""

    head: str
    weight: int = 0
    what: str = ""
    left: bool = False


def table(
    columns: Sequence[Column], rows: Sequence[Sequence[Cell]], style: Style
) -> tuple[list[str], list[str]] | None:
    """The lines, and what was left out that had something to say; None where even the columns without weight are too
    wide."""
    kept = [
        n
        for n, column in enumerate(columns)
        if column.weight == 0 or any(row[n].text != NOTHING for row in rows)
    ]
    out: list[str] = []
    while _total(widths := _widths(columns, rows, kept)) > style.width:
        heaviest = max(kept, key=lambda n: columns[n].weight)
        if columns[heaviest].weight == 0:
            return None
        kept.remove(heaviest)
        out.append(columns[heaviest].what or columns[heaviest].head.lower())
    lines = [_line([(columns[n], Cell(columns[n].head, ("dim",))) for n in kept], widths, style)]
    lines += [_line([(columns[n], row[n]) for n in kept], widths, style) for row in rows]
    return lines, out[::-1]


def _widths(columns: Sequence[Column], rows: Sequence[Sequence[Cell]], kept: Sequence[int]) -> list[int]:
    return [max(width(columns[n].head), *(width(row[n].text) for row in rows)) for n in kept]


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + GAP * (len(widths) - 1)


def _line(cells: Sequence[tuple[Column, Cell]], widths: Sequence[int], style: Style) -> str:
    parts = []
    for (column, cell), cells_wide in zip(cells, widths, strict=True):
        text = cut(cell.text, cells_wide)
        blanks = " " * (cells_wide - width(text))
        painted = style.paint(text, *cell.looks)
        parts.append(painted + blanks if column.left else blanks + painted)
    return (" " * GAP).join(parts).rstrip()
