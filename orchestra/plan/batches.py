"""How many transactions a plan needs: every lock is held until commit, and the server's lock table is finite."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from orchestra.kinds import BY_NAME
from orchestra.plan.model import Action, Change

SHARE: Final = 0.5
"""The part of the lock table that the batches of an apply may fill; the rest is for everybody else."""
ABREAST: Final = 2
"""Batches that run at the same time where they need nothing of each other. The making of a table is work for one core
of the server; the smallest that Supabase rents out have two."""
BASE: Final = 200
"""Locks for the reads, the registry and the ledger of a batch."""
_FIRST: Final = frozenset({"extension", "runtime", "project"})
_APART: Final = frozenset({"queue", "workload", "cron_job"})
"""Kinds of which no two share anything that is locked until commit. Two table triggers may be on one table."""


def cut(changes: Sequence[Change], lock_slots: int) -> tuple[int, ...]:
    """How many of the changes each batch runs, in order. One batch wherever it fits.

    What comes before the runtime stays with it: its ledger is what joins the batches. What moves, moves in one of them.
    """
    share = int(lock_slots * SHARE)
    room = share - BASE
    if sum(map(_locks, changes)) > room:
        room = share // ABREAST - BASE
    renames = any(c.address.kind == "project" and c.moved_from is not None for c in changes)
    together = max(
        (n for n, c in enumerate(changes) if _comes_first(c) or (renames and _fires(c))), default=-1
    )
    sizes: list[int] = []
    used = 0
    for number, change in enumerate(changes):
        needed = _locks(change)
        if not sizes or (number > together and used + needed > max(room, 1)):
            sizes.append(0)
            used = 0
        sizes[-1] += 1
        used += needed
    return tuple(sizes)


def needed(changes: Sequence[Change]) -> int:
    """Locks that one transaction with all of the changes would hold at its end."""
    return BASE + sum(map(_locks, changes))


def _comes_first(change: Change) -> bool:
    made = change.address.kind in _FIRST and change.action is not Action.DELETE
    return made or change.moved_from is not None


def _fires(change: Change) -> bool:
    """Under the former name of its project a trigger sends nothing and says nothing."""
    return change.address.kind == "table_trigger"


def independent(changes: Sequence[Change]) -> str:
    """The kind of a batch that may run beside others of that kind, or nothing: new objects, all of one kind."""
    kinds = {c.address.kind if c.action is Action.CREATE else "" for c in changes}
    return kinds.pop() if len(kinds) == 1 and kinds <= _APART else ""


def _locks(change: Change) -> int:
    kind = BY_NAME[change.address.kind]
    return kind.locks * (2 if change.action is Action.REPLACE else 1)
