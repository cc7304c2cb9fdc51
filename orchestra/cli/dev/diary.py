"""The log of a session: a stream of lines on stdout, until there is nobody to read them any more."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import UTC, datetime

from orchestra.cli import console
from orchestra.dev.log.event import SELF, Event
from orchestra.dev.log.journal import Journal
from orchestra.errors import OrchestraError
from orchestra.report.style import Style


class Diary:
    """`on_end` is called once, when the terminal or the pipe has gone."""

    def __init__(self, on_end: Callable[[], None]) -> None:
        self._on_end = on_end
        self._ended = False
        self._journal = Journal(self._write, self.style)
        self.event = self._journal.event
        self.block = self._journal.block
        self.below = self._journal.below
        self.expect = self._journal.expect

    @staticmethod
    def style() -> Style:
        return console.style(sys.stdout)

    def say(self, text: str, look: str = "") -> None:
        self.event(Event(datetime.now(UTC), SELF, "said", text, look))

    def fail(self, error: OrchestraError) -> None:
        self.say(error.message, "bold red")
        if error.remedy:
            self.say(f"  {error.remedy}", "green")

    def _write(self, text: str) -> None:
        if self._ended:
            return
        try:
            console.out(text, end="")
            sys.stdout.flush()
        except (OSError, ValueError):
            self._ended = True
            self._on_end()
