"""How a session ends: asked once it ends in order, asked twice at once; a closed terminal asks once."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stopping:
    """`wake` ends the wait of a session that is at rest; one that is busy is interrupted as by Ctrl-C. `at_once` leaves
    nothing behind and does not return."""

    def __init__(self, wake: Callable[[], None], at_once: Callable[[], None]) -> None:
        self._wake = wake
        self._at_once = at_once
        self._presses = 0
        self._busy = False
        self.asked = False

    @contextmanager
    def busy(self) -> Iterator[None]:
        """While it is open, being asked raises KeyboardInterrupt."""
        self._busy = True
        try:
            if self.asked:
                raise KeyboardInterrupt
            yield
        finally:
            self._busy = False

    @contextmanager
    def listening(self) -> Iterator[None]:
        # Whoever started it deaf to a closed terminal (nohup) means that.
        heard = [n for n in SIGNALS if n != signal.SIGHUP or signal.getsignal(n) != signal.SIG_IGN]
        before = {number: signal.signal(number, self._told) for number in heard}
        try:
            yield
        finally:
            for number, handler in before.items():
                # Who is still pressing has what they want: Python would end with a traceback.
                late = self.asked and number == signal.SIGINT
                signal.signal(number, signal.SIG_IGN if late else handler)

    def ask(self) -> None:
        """From any thread: as if somebody had pressed Ctrl-C at rest."""
        self.asked = True
        self._wake()

    def _told(self, number: int, frame: FrameType | None) -> None:
        self._presses += number != signal.SIGHUP
        if self._presses > 1:
            self._at_once()
        first, self.asked = not self.asked, True
        if first:
            # Also when it is interrupted: an interruption in a finalizer or a callback is lost.
            self._wake()
        if first and self._busy:
            raise KeyboardInterrupt
