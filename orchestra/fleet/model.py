"""What became of one database of a fleet, in the words of the table."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Outcome(StrEnum):
    DONE = "done"
    UNCHANGED = "no changes"
    CHANGES = "changes"
    """Of a plan: there is something to do."""
    BLOCKED = "blocked"
    LOCKED = "locked"
    STALE = "stale"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    """It was going on when somebody pressed Ctrl-C, and was rolled back."""
    NOT_BEGUN = "not begun"

    @property
    def went_well(self) -> bool:
        return self in (Outcome.DONE, Outcome.UNCHANGED, Outcome.CHANGES)


BY_EXIT_CODE: Final = {3: Outcome.STALE, 4: Outcome.LOCKED, 5: Outcome.BLOCKED}
"""Of the faults of `orchestra.errors`; any other is a failure."""


@dataclass(frozen=True, slots=True)
class Result:
    """One row. `add`, `change` and `destroy` are what a plan would do, or what an apply has done; `error` is one
    line without a secret in it."""

    environment: str
    outcome: Outcome
    database: str = ""
    add: int = 0
    change: int = 0
    destroy: int = 0
    seconds: float = 0.0
    deployments: tuple[int, ...] = ()
    plan_hash: str = ""
    error: str = ""
    remedy: str = ""
    full: bool = False
    """The server had no connection left."""


def exit_code(results: Iterable[Result], *, detailed: bool = False) -> int:
    """The gravest of all: an interruption (130), then a failure (1), a stale plan (3), a lock (4), something blocked
    (5), and with `detailed` a change (2). A database that was not begun adds nothing to what kept it from it."""
    found = {result.outcome for result in results}
    return next((code for code, outcome in _GRAVITY if outcome in found), _detailed(found) if detailed else 0)


def _detailed(found: set[Outcome]) -> int:
    return 2 if Outcome.CHANGES in found else 0


_GRAVITY: Final = (
    (130, Outcome.INTERRUPTED),
    (1, Outcome.FAILED),
    (3, Outcome.STALE),
    (4, Outcome.LOCKED),
    (5, Outcome.BLOCKED),
)
