"""The log for programs: one JSON object a line (schemas/dev-log.v1.schema.json)."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from orchestra.dev.log.event import SELF, Event
from orchestra.report.style import Style

WIDTH: Final = 120
"""Cells of the texts that are made for people, and come along as one string."""
_LEVELS: Final = {"red": "error", "yellow": "warning"}


class JsonJournal:
    """Called as `journal.Journal` is, by any thread."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write
        self._lock = threading.Lock()

    def expect(self, names: list[str]) -> None:
        """Nothing stands in columns here."""

    def event(self, event: Event) -> None:
        level = next((_LEVELS[word] for word in event.look.split() if word in _LEVELS), "info")
        self._line(event.at, event.who, event.kind, level, event.text, event.aside)

    def block(self, text: str) -> None:
        self._line(datetime.now(UTC), SELF, "details", "error", text.strip("\n"))

    def below(self, render: Callable[[Style], list[str]]) -> None:
        lines = render(Style(width=WIDTH, colour=False))
        self._line(datetime.now(UTC), SELF, "details", "info", "\n".join(lines))

    def _line(self, at: datetime, who: str, kind: str, level: str, text: str, payload: str = "") -> None:
        said = {
            "at": at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "who": who,
            "kind": kind,
            "level": level,
            "text": text,
            **({"payload": payload} if payload else {}),
        }
        with self._lock:
            self._write(f"{json.dumps(said, ensure_ascii=False)}\n")
