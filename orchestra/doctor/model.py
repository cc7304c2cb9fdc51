"""What doctor finds out, as values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """Of one prerequisite; UNKNOWN is what could not be asked."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    UNKNOWN = "unknown"


class Group(StrEnum):
    """What belongs together, in the order in which it is told."""

    MACHINE = "This machine"
    SPEC = "Spec"
    CONNECTION = "Connection"
    PROJECT = "Project"
    SERVER = "Server"
    EXTENSIONS = "Extensions"
    JOBS = "Cron jobs"
    FUNCTIONS = "Edge Functions"
    HEALTH = "Health"
    PLAN = "Plan"


@dataclass(frozen=True, slots=True)
class Check:
    """One prerequisite: `code` is stable, `message` one sentence, `remedy` says what to do, `command` is what can be
    copied for it (a shell's, or SQL)."""

    group: Group
    code: str
    state: State
    message: str
    remedy: str = ""
    command: str = ""


@dataclass(frozen=True, slots=True)
class Turn:
    """One project of those that are given together: what it waits for, in words."""

    project: str
    stage: str = ""
    priority: str = ""
    waits: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """`turns` are the projects in the order in which they are applied."""

    checks: tuple[Check, ...]
    turns: tuple[Turn, ...] = ()

    @property
    def failed(self) -> bool:
        return any(c.state is State.FAILED for c in self.checks)

    def tally(self) -> dict[State, int]:
        return {state: sum(c.state is state for c in self.checks) for state in State}
