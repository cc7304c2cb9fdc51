"""How many transactions a plan needs: every lock is held until commit, and the server's lock table is finite."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from orchestra.kinds import BY_NAME
from orchestra.plan.model import Action, Change

SHARE: Final = 0.5
"""The part of the lock table that one batch may fill; the rest is for everybody else."""
BASE: Final = 200
"""Locks for the reads, the registry and the ledger of a batch."""
_FIRST: Final = frozenset({"extension", "runtime"})


def cut(changes: Sequence[Change], lock_slots: int) -> tuple[int, ...]:
    """How many of the changes each batch runs, in order. One batch wherever it fits.

    What comes before the runtime stays with it: its ledger is what joins the batches.
    """
    room = max(int(lock_slots * SHARE) - BASE, 1)
    together = max((n for n, c in enumerate(changes) if c.address.kind in _FIRST), default=-1)
    sizes: list[int] = []
    used = 0
    for number, change in enumerate(changes):
        needed = _locks(change)
        if not sizes or (number > together and used + needed > room):
            sizes.append(0)
            used = 0
        sizes[-1] += 1
        used += needed
    return tuple(sizes)


def _locks(change: Change) -> int:
    kind = BY_NAME[change.address.kind]
    return kind.locks * (2 if change.action is Action.REPLACE else 1)
