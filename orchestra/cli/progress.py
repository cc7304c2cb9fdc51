"""A line that says how far a long apply is: on a terminal only, and only once a second has gone by."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

from orchestra.cli import console

QUIET_S = 1.0
EVERY_S = 0.1
BAR = 24


class Progress:
    """Called with (done, all, what)."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, *, shown: bool | None = None) -> None:
        self._clock = clock
        self._start = clock()
        self._drawn = 0.0
        self._shown = console.is_terminal(sys.stderr) if shown is None else shown

    def __call__(self, done: int, total: int, what: str) -> None:
        now = self._clock()
        if self._shown and now - self._start >= QUIET_S and now - self._drawn >= EVERY_S:
            self._drawn = now
            console.note(f"\r{self._line(done, total, what)}\x1b[K", end="")

    def end(self) -> None:
        """Take the line away."""
        if self._drawn:
            console.note("\r\x1b[K", end="")

    @staticmethod
    def _line(done: int, total: int, what: str) -> str:
        from orchestra.report.cells import cut, visible

        width = console.style(sys.stderr).width
        full = BAR * done // total if total else 0
        text = f"  [{'#' * full}{'-' * (BAR - full)}] {done:,}/{total:,}  {visible(what, keep='')}"
        return cut(text, width - 1)
