"""What somebody types while a session runs: `yes`, where something waits for it."""

from __future__ import annotations

import os
import select
import sys
import threading
from collections.abc import Callable

from orchestra.cli import console


class Answers:
    """Reads the terminal only from the first question on. Nobody is asked who could not answer: in a pipe, or in the
    background of a shell, where reading would stop the process."""

    def __init__(self, told: Callable[[str], None]) -> None:
        self._told = told
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def possible(self) -> bool:
        """Whether somebody can answer; from now on it is listened to."""
        if not (console.is_terminal(sys.stdin) and console.is_terminal(sys.stdout)):
            return False
        if _in_background():
            return False
        if self._thread is None:
            self._thread = threading.Thread(target=self._listen, name="answers", daemon=True)
            self._thread.start()
        return True

    def stop(self) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def _listen(self) -> None:
        # Not through sys.stdin, whose lock a thread that waits there would hold at the end of the process.
        terminal, text = sys.stdin.fileno(), b""
        while not self._stop.is_set():
            if not select.select([terminal], [], [], 0.2)[0]:
                continue
            try:
                piece = os.read(terminal, 4096)
            except OSError:
                return
            if not piece:
                return
            *lines, text = (text + piece).split(b"\n")
            for line in lines:
                self._told(line.decode(errors="replace").strip())


def _in_background() -> bool:
    try:
        return os.tcgetpgrp(sys.stdin.fileno()) != os.getpgrp()
    except OSError:
        return False  # a terminal that controls nobody stops nobody
