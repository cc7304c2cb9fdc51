"""One database that is looked at again and again, over a connection that may be lost in between."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from orchestra.errors import ConnectError, OrchestraError
from orchestra.live import server
from orchestra.live.connect import Database, connect
from orchestra.live.model import ServerFacts
from orchestra.status.model import Snapshot
from orchestra.status.pace import Pace
from orchestra.status.read import read

FIRST_WAIT: Final = 1.0
LONGEST_WAIT: Final = 30.0
"""Seconds between two attempts to connect again: doubled from the first up to this."""

_NOTICES: Final = {
    "tcp_user_timeout": "15000",
    "keepalives_idle": "5",
    "keepalives_interval": "5",
    "keepalives_count": "2",
}
"""A network that went away without a word is noticed within some 15 seconds."""


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen, and what went wrong since: `found` is the last that could be read, `fault` why the database cannot
    be read now, `again_in` the seconds until that is tried again. `name` is the environment's where several are
    looked at."""

    name: str
    found: Snapshot | None
    fault: str | None = None
    remedy: str = ""
    again_in: float | None = None


class Source:
    """`look()` raises what `read` raises the first time. Later a lost connection is a fault of the look, and the next
    one connects again, when its time has come by `clock` (seconds)."""

    def __init__(
        self,
        url: str,
        clock: Callable[[], float],
        *,
        name: str = "",
        project: str | None = None,
        workload: str | None = None,
    ) -> None:
        self.name = name
        self._url = _noticing(url)
        self._clock = clock
        self._asked: dict[str, Any] = {"project": project, "workload": workload}
        self._open: tuple[Database, ServerFacts] | None = None
        self._pace = Pace()
        self._last: Look | None = None
        self._wait = FIRST_WAIT
        self._next = 0.0

    def look(self) -> Look:
        last = self._last
        if last is not None and last.fault is not None and (left := self._next - self._clock()) > 0:
            return replace(last, again_in=left)
        try:
            found = self._pace(self._read())
        except ConnectError as error:
            self.close()
            if last is None:
                raise
            return self._failed(error, last.found)
        self._wait = FIRST_WAIT
        self._last = Look(self.name, found)
        return self._last

    def once(self) -> Look:
        """A look of a row of others: what goes wrong is its fault, and keeps nobody from seeing the rest."""
        try:
            return self.look()
        except OrchestraError as error:
            self.close()
            return self._failed(error, None)

    def _failed(self, error: OrchestraError, found: Snapshot | None) -> Look:
        """The next attempt waits, and the one after it longer."""
        wait, self._wait = self._wait, min(self._wait * 2, LONGEST_WAIT)
        self._next = self._clock() + wait
        self._last = Look(self.name, found, error.message, error.remedy, wait)
        return self._last

    def _read(self) -> Snapshot:
        if self._open is None:
            database = connect(self._url)
            try:
                self._open = (database, server.probe(database))
            except BaseException:
                database.close()
                raise
        return read(*self._open, **self._asked)

    def stop(self) -> None:
        """Ends what a look of another thread waits for."""
        if self._open is not None:
            self._open[0].connection.cancel()

    def close(self) -> None:
        if self._open is not None:
            self._open[0].close()
            self._open = None


def _noticing(url: str) -> str:
    """The URL with settings that notice a dead network, where it has none of its own; one that cannot be read stays
    as it is, for `connect` to say so."""
    try:
        parts = conninfo_to_dict(url)
        return make_conninfo(url, **{name: value for name, value in _NOTICES.items() if name not in parts})
    except ProgrammingError:
        return url
