"""A terminal that shows one text in place: the alternate screen, redrawn line by line, so that nothing flickers and
what was on the terminal before is there again afterwards.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
from types import FrameType
from typing import Any, Final, NoReturn, Self

from orchestra.cli import console

_ENTER: Final = "\x1b[?1049h\x1b[?25l\x1b[?7l"
"""The other screen, no cursor, and lines that are too long are cut and not wrapped."""
_LEAVE: Final = "\x1b[?7h\x1b[?25h\x1b[?1049l"
_BEGIN: Final = "\x1b[?2026h\x1b[H"
"""Terminals that know it show what follows all at once."""
_END: Final = "\x1b[K\x1b[J\x1b[?2026l"


class Screen:
    """Between enter and exit the terminal is ours; stopped by Ctrl-Z or ended by a signal, it is given back first."""

    def __enter__(self) -> Self:
        self._resized = False
        self._before: dict[int, Any] = {}
        self._woken, self._waking = os.pipe()
        os.set_blocking(self._woken, False)
        os.set_blocking(self._waking, False)
        self._wakeup = signal.set_wakeup_fd(self._waking, warn_on_full_buffer=False)
        for number, handler in (
            (signal.SIGWINCH, self._note_resize),
            (signal.SIGTSTP, self._stop),
            (signal.SIGTERM, self._end),
        ):
            self._before[number] = signal.signal(number, handler)
        self._write(_ENTER)
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):  # a terminal that is gone has nothing to be given back
            self._write(_LEAVE)
        for number, handler in self._before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._wakeup)
        os.close(self._woken)
        os.close(self._waking)

    def draw(self, text: str, footer: str) -> None:
        """As much of `text` as there are lines for; the last line is the footer."""
        lines = text.splitlines()
        room = max(2, os.get_terminal_size(sys.stdout.fileno()).lines) - 1
        if len(lines) > room:
            footer = (
                f"{len(lines) - room:,} more lines: a taller window shows them, or --workload NAME. {footer}"
            )
            lines = lines[:room]
        footer = console.style(sys.stdout).dim(footer)
        self._write(_BEGIN + "\x1b[K\n".join([*lines, footer]) + _END)

    def wait(self, seconds: float) -> bool:
        """True at once where the window has another size by now, else False when the time has gone by."""
        if self._resized:
            self._resized = False
            return True
        if seconds <= 0:
            return False
        select.select([self._woken], [], [], seconds)
        with contextlib.suppress(BlockingIOError):
            os.read(self._woken, 4096)
        resized, self._resized = self._resized, False
        return resized

    def _write(self, text: str) -> None:
        console.out(text, end="")

    def _note_resize(self, _number: int, _frame: FrameType | None) -> None:
        self._resized = True

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        """Ctrl-Z: the shell gets its terminal, and whoever comes back sees a fresh picture."""
        self._write(_LEAVE)
        signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGTSTP)
        signal.signal(signal.SIGTSTP, self._stop)
        self._write(_ENTER)
        self._resized = True

    def _end(self, number: int, _frame: FrameType | None) -> NoReturn:
        raise SystemExit(128 + number)
