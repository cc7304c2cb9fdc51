"""The log of a session: a stream of lines on stdout, until there is nobody to read them any more."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from orchestra.cli import console
from orchestra.dev.log.as_json import WIDTH, JsonJournal
from orchestra.dev.log.event import SELF, Event
from orchestra.dev.log.journal import Journal
from orchestra.errors import OrchestraError
from orchestra.report.style import Style


class Diary:
    """`on_end` is called once, when the terminal or the pipe has gone. `as_json`: for programs."""

    def __init__(self, on_end: Callable[[], None], *, as_json: bool = False) -> None:
        self._on_end = on_end
        self._ended = False
        self._as_json = as_json
        near = f"{Path.cwd().as_uri()}/"
        journal = JsonJournal(self._write) if as_json else Journal(self._write, self.style, near)
        self.event = journal.event
        self.block = journal.block
        self.below = journal.below
        self.expect = journal.expect

    def style(self) -> Style:
        return Style(width=WIDTH, colour=False) if self._as_json else console.style(sys.stdout)

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
