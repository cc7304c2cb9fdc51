"""Many events that are alike, summed up: a catalogue of 2,000 products must not push everything else off the screen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from orchestra.dev.log.event import Event

SHOWN: Final = 4
"""Events of one kind in a row that are shown one by one."""
SPAN_S: Final = 1.0
"""So long is a row; what is more than SHOWN in it is counted, and said at its end."""
_WORDS: Final = {
    "sent": "sent",
    "done": "done",
    "failed": "failed",
    "dead": "given up",
    "removed": "removed",
    "woken": "woken",
}


@dataclass(slots=True)
class _Row:
    began: float
    shown: int = 0
    counted: int = 0
    last: Event | None = None


class Crowd:
    """`now` is a clock in seconds that only goes forward."""

    def __init__(self) -> None:
        self._rows: dict[tuple[str, str], _Row] = {}

    def admit(self, event: Event, now: float) -> Iterator[Event]:
        """The events to write at once: this one, or none."""
        key = (event.who, event.kind)
        row = self._rows.get(key)
        if row is None or (now - row.began >= SPAN_S and not row.counted):
            row = self._rows[key] = _Row(now)
        if row.shown < SHOWN:
            row.shown += 1
            yield event
        else:
            row.counted += 1
            row.last = event

    def due(self, now: float, *, all_of_it: bool = False) -> Iterator[Event]:
        """The sums whose time has come. A crowd that goes on is summed up once a span, and shown no more one by one."""
        for key, row in list(self._rows.items()):
            if now - row.began < SPAN_S and not all_of_it:
                continue
            if row.counted:
                yield _sum(row)
                self._rows[key] = _Row(now, SHOWN)
            else:
                del self._rows[key]


def _sum(row: _Row) -> Event:
    last = row.last
    assert last is not None
    if row.counted == 1:
        return last
    word = _WORDS.get(last.kind, "like that")
    more = f". The last: {last.text}" if last.kind in ("failed", "dead") else ""
    return replace(last, text=f"… {row.counted:,} more {word}{more}", aside="")
