"""The fault of this room: functions cannot be run here."""

from __future__ import annotations

from collections.abc import Sequence

from orchestra.errors import OrchestraError


class EdgeError(OrchestraError):
    """There is no Deno that could run functions, or the runner does not start; the remedy says what to do."""


class BootError(Exception):
    """An isolate ended, or time ran out, before it served. `log` holds what it said meanwhile."""

    def __init__(self, message: str, log: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.log = tuple(log)
