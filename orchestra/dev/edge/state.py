"""How an isolate can be, and why it can end."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    BOOTING = "booting"
    ACTIVE = "active"
    RETIRED = "retired"  # goes on with what it has, gets nothing new
    ENDED = "ended"


class End(StrEnum):
    """Why an isolate ended. Of the first five `beforeunload` tells."""

    WALL_CLOCK = "wall_clock"
    CPU = "cpu"
    MEMORY = "memory"
    EARLY_DROP = "early_drop"  # retired, and nothing left to do
    TERMINATION = "termination"  # the server stopped
    BOOT = "boot"  # it never served
    KILLED = "killed"  # SIGKILL from elsewhere, as chaos tests send it
    EXIT = "exit"  # by itself: an uncaught error, or Deno.exit


LIMITS_REACHED = frozenset({End.WALL_CLOCK, End.CPU, End.MEMORY, End.KILLED})
"""Ends that a caller is told of as 546; a lost machine looks no different."""


@dataclass(frozen=True)
class IsolateInfo:
    """An isolate as it is now."""

    pid: int
    name: str
    state: State
    age_s: float
    requests: int  # being answered
    waiting: int  # promises under EdgeRuntime.waitUntil
    cpu_s: float | None  # since it serves; None where the system does not tell
