"""The log as lines: the time, whose it is in a colour and a column of its own, and what happened."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from orchestra.dev.log.event import SELF, Event
from orchestra.report.cells import cut, pad, visible, width, wrap
from orchestra.report.style import Style

COLOURS: Final = ("cyan", "magenta", "blue", "green", "yellow")
NARROW: Final = 60
"""Columns of a terminal below which times and names are shortened."""
WIDEST: Final = 28
WIDEST_NARROW: Final = 12
LEAST_ASIDE: Final = 8
"""Cells below which an aside says nothing."""
MOST_LINES: Final = 12
"""Of one event; a stack trace may be longer, and is cut."""


class Journal:
    """Any thread may write. `write` takes a text that ends in a line end; `style` is asked at each event, as a terminal
    changes its width. Of addresses that begin with `near`, the `file://` of a folder, the rest is shown."""

    def __init__(self, write: Callable[[str], None], style: Callable[[], Style], near: str = "") -> None:
        self._write = write
        self._near = near
        self._style = style
        self._lock = threading.Lock()
        self._names: dict[str, str] = {}
        self._widest = len(SELF)

    def expect(self, names: list[str]) -> None:
        """Workloads whose events will come, so that they stand in one column from the first line on."""
        with self._lock:
            for name in names:
                self._colour(name)

    def event(self, event: Event) -> None:
        with self._lock:
            self._write(self._lines(event))

    def block(self, text: str) -> None:
        """A text of several lines as it is: findings with their lines of source."""
        with self._lock:
            self._write(text if text.endswith("\n") else f"{text}\n")

    def below(self, render: Callable[[Style], list[str]]) -> None:
        """Lines that belong to the event before them, in its column; `render` makes them as wide as that is."""
        with self._lock:
            style = self._style()
            indent = self._indent(style)
            lines = render(replace(style, width=self._room(style)))
            self._write("".join(f"{' ' * indent}{line}\n" for line in lines))

    def _lines(self, event: Event) -> str:
        style = self._style()
        column = self._column(style)
        name = pad(cut(visible(event.who, keep=""), column), column)
        head = f"{style.dim(clock(event.at, style))}  {style.paint(name, self._colour(event.who))}  "
        indent, room = self._indent(style), self._room(style)
        text = event.text.replace(self._near, "") if self._near else event.text
        lines = [piece for line in visible(text).split("\n") for piece in _folded(line, room)]
        if len(lines) > MOST_LINES:
            lines = [*lines[: MOST_LINES - 1], f"… {len(lines) - MOST_LINES + 1} more lines"]
        first, *rest = [style.paint(line, *event.look.split()) for line in lines]
        free = room - width(lines[0]) - 2
        if event.aside and not rest and free > LEAST_ASIDE:
            first += "  " + style.dim(cut(visible(event.aside, keep=""), free))
        return "\n".join([head + first, *(" " * indent + line for line in rest)]) + "\n"

    def _column(self, style: Style) -> int:
        return min(self._widest, WIDEST_NARROW if style.width < NARROW else WIDEST)

    def _indent(self, style: Style) -> int:
        return len(clock(datetime.now(UTC), style)) + 2 + self._column(style) + 2

    def _room(self, style: Style) -> int:
        return max(style.width - self._indent(style), 20)

    def _colour(self, name: str) -> str:
        if name == SELF:
            return "bold"
        if name not in self._names:
            self._names[name] = COLOURS[len(self._names) % len(COLOURS)]
            self._widest = max(self._widest, width(visible(name, keep="")))
        return self._names[name]


def clock(at: datetime, style: Style) -> str:
    """The local time; in a narrow terminal without its hours."""
    return f"{at.astimezone():%H:%M:%S}" if style.width >= NARROW else f"{at.astimezone():%M:%S}"


def _folded(line: str, room: int) -> list[str]:
    """A line in pieces of at most `room` cells, broken at blanks where there are some."""
    pieces: list[str] = []
    for piece in wrap(line.strip(), room) if line.strip() else [""]:
        while width(piece) > room:
            pieces.append(piece[:room])
            piece = piece[room:]
        pieces.append(piece)
    return pieces
