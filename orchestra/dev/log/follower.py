"""The thread that reads what was committed and tells of it, until it is stopped."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final, Self

import psycopg

from orchestra.dev.errors import DevDatabaseError
from orchestra.dev.log.changes import Changes
from orchestra.dev.log.crowd import Crowd
from orchestra.dev.log.event import SELF, Event
from orchestra.dev.log.known import Known
from orchestra.dev.log.narrator import Narrator

LOOK_S: Final = 0.1
SPARING_S: Final = 1.0
LONGEST_S: Final = 0.5
RECONNECT_S: Final = 0.5


class Follower:
    """A context manager. `on_event` is called in threads of its own and others that `say` something, `on_lost` whenever
    the database has not answered."""

    def __init__(self, dsn: str, on_event: Callable[[Event], None], on_lost: Callable[[], None]) -> None:
        self._dsn = dsn
        self._on_lost = on_lost
        self._on_event = on_event
        self._stop = threading.Event()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="log", daemon=True)
        self._crowd = Crowd()
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        """Start, and return once nothing more is missed; or after a moment, where something keeps it waiting."""
        self._thread.start()
        self._ready.wait(2)
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._sum_up(all_of_it=True)

    def say(self, event: Event) -> None:
        """One from elsewhere, which is counted like the others."""
        with self._lock:
            for one in self._crowd.admit(event, time.monotonic()):
                self._on_event(one)

    def _follow(self) -> None:
        while not self._stop.is_set():
            try:
                self._read()
            except DevDatabaseError as fault:
                text = f"{fault.message}, so the log is without what happens to messages"
                self._on_event(Event(datetime.now(UTC), SELF, "log", text, "yellow"))
                break
            except psycopg.OperationalError:
                self._on_lost()  # the server has ended or restarts, or a reset ended our session
                self._stop.wait(RECONNECT_S)
        self._ready.set()
        while not self._stop.wait(LOOK_S):
            self._sum_up()

    def _read(self) -> None:
        with Changes(self._dsn) as changes:
            known = Known()
            with psycopg.connect(self._dsn, autocommit=True) as connection:
                known.read(connection)
            narrator = Narrator(known)
            self._ready.set()
            while not self._stop.is_set():
                began = time.monotonic()
                for transaction in changes.take():
                    for event in narrator.tell(transaction):
                        self.say(event)
                self._sum_up()
                # What costs much is done less often.
                pause = LOOK_S if changes.quiet else SPARING_S
                self._stop.wait(max(pause, min(time.monotonic() - began, LONGEST_S)))

    def _sum_up(self, *, all_of_it: bool = False) -> None:
        with self._lock:
            for event in self._crowd.due(time.monotonic(), all_of_it=all_of_it):
                self._on_event(event)
