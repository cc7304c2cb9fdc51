"""The lines of a file that a finding speaks of, underlined, and cut where they are too long."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from orchestra.diagnostics import Diagnostic, Span
from orchestra.report.cells import pieces, visible, width, wrap
from orchestra.report.style import Style


@dataclass(frozen=True, slots=True)
class Mark:
    """One underlined place."""

    span: Span
    main: bool
    message: str = ""


def render(diagnostic: Diagnostic, sources: Mapping[str, str], style: Style, colour: str) -> list[str]:
    """The places of one finding and of its labels, by file (its own first) and line."""
    main = Mark(diagnostic.span, True)
    marks = [main, *(Mark(label.span, False, visible(label.message, keep="")) for label in diagnostic.labels)]
    gutter = len(str(max(mark.span.line for mark in marks)))
    files = sorted({m.span.file for m in marks}, key=lambda f: (f != main.span.file, f))
    out: list[str] = []
    for file in files:
        here = [m for m in marks if m.span.file == file]
        where = min(here, key=lambda m: not m.main).span
        arrow = "-->" if file == main.span.file else ":::"
        out.append(f"{' ' * gutter}{style.paint(arrow, 'blue')} {where}")
        if file in sources:
            out += _lines(here, _split(sources[file]), gutter, style, colour)
        else:
            out += [
                f"{' ' * gutter} {style.paint('=', 'blue')} {m.span}: {m.message}" for m in here if m.message
            ]
    return out


def _split(source: str) -> list[str]:
    """Lines as an editor counts them: only newlines part them."""
    return source.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def _lines(marks: Sequence[Mark], lines: Sequence[str], gutter: int, style: Style, colour: str) -> list[str]:
    bar = style.paint("|", "blue")
    out = [f"{' ' * gutter} {bar}"]
    last = 0
    for number, group in groupby(
        sorted(marks, key=lambda m: (m.span.line, not m.main)), lambda m: m.span.line
    ):
        if last and number > last + 1:
            out.append(style.paint("." * max(3, gutter + 1), "blue"))
        last = number
        here = list(group)
        text = lines[number - 1] if number <= len(lines) else ""
        room = max(20, style.width - gutter - 3)
        window = _window(text, here[0].span, room)
        out.append(f"{style.paint(str(number).rjust(gutter), 'blue')} {bar} {window.text}".rstrip())
        for mark in here:
            look = colour if mark.main else "blue"
            out += [f"{' ' * gutter} {bar} {row}" for row in window.underline(mark, style, look, room)]
    out.append(f"{' ' * gutter} {bar}")
    return out


@dataclass(frozen=True, slots=True)
class _Window:
    """The part of a line that is shown. `starts` is the cell at which each character begins in the whole
    line; the part shown begins at cell `first`, `shift` cells from the left edge."""

    text: str
    starts: Sequence[int]
    first: int
    last: int
    shift: int

    def underline(self, mark: Mark, style: Style, look: str, room: int) -> list[str]:
        """The signs under the place, and the message behind them, or below them where it would not fit."""
        begin, end = _cells_of(mark.span, self.starts)
        begin = min(max(begin, self.first), self.last)
        end = min(max(end, begin + 1), max(self.last, begin + 1))
        left = begin - self.first + self.shift
        row = " " * left + style.paint(("^" if mark.main else "-") * (end - begin), "bold", look)
        if not mark.message:
            return [row]
        if left + end - begin + 1 + width(mark.message) <= room:
            return [f"{row} {style.paint(mark.message, look)}"]
        lines = wrap(mark.message, room)
        back = max(0, min(left, room - max(map(width, lines))))
        return [row, *(" " * back + style.paint(line, look) for line in lines)]


def _cells_of(span: Span, starts: Sequence[int]) -> tuple[int, int]:
    """First and end cell of the part of a span that is on its first line."""
    final = len(starts) - 1
    begin = starts[min(max(span.column - 1, 0), final)]
    end_column = span.end_column - 1 if span.end_line == span.line else final
    return begin, max(starts[min(max(end_column, 0), final)], begin + 1)


def _window(text: str, span: Span, room: int) -> _Window:
    parts = pieces(text.rstrip())
    parts += [(" ", 1)] * (len(text) - len(parts))
    starts = [0]
    for _, cells in parts:
        starts.append(starts[-1] + cells)
    total = starts[-1]
    if total <= room:
        return _Window("".join(shown for shown, _ in parts), starts, 0, total, 0)
    begin, end = _cells_of(span, starts)
    middle = begin + min(end - begin, room - 10) // 2
    low = max(0, min(middle - room // 2, total - room))
    # An ellipsis takes a cell on each side that is cut.
    left_edge = low + 1 if low else 0
    right_edge = total if low + room >= total else low + room - 1
    keep = [i for i, cell in enumerate(starts[:-1]) if cell >= left_edge and starts[i + 1] <= right_edge] or [
        0
    ]
    first, last = starts[keep[0]], starts[keep[-1] + 1]
    left = "…" if low > 0 else ""
    right = "…" if last < total else ""
    shown = "".join(parts[i][0] for i in keep)
    return _Window(f"{left}{shown}{right}", starts, first, last, len(left))
