"""Rates of a process that looks again and again: from its own looks, not from what the database notes each minute."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from datetime import timedelta
from typing import Final

from orchestra.status.model import Snapshot, Traffic, Workload

WINDOW: Final = timedelta(seconds=15)
"""The server's counters are up to a second behind: over less, a steady rate would seem to jump."""


class Pace:
    """Remembers looks of the last 15 seconds, or the last two where they are further apart."""

    def __init__(self) -> None:
        self._looks: deque[Snapshot] = deque()

    def __call__(self, look: Snapshot) -> Snapshot:
        """The same snapshot with its queues' traffic since the oldest look that is remembered."""
        while len(self._looks) > 1 and look.at - self._looks[1].at >= WINDOW:
            self._looks.popleft()
        before = {(w.project, w.name): w for w in self._looks[0].workloads} if self._looks else {}
        over = (look.at - self._looks[0].at).total_seconds() if self._looks else 0.0
        self._looks.append(look)
        if over <= 0:
            return look
        return replace(
            look, workloads=tuple(_since(w, before.get((w.project, w.name)), over) for w in look.workloads)
        )


def _since(now: Workload, then: Workload | None, over: float) -> Workload:
    """After a crash of the server its counters begin anew, and what it noted counts for once."""
    if (
        then is None
        or now.came_ever is None
        or now.gone_ever is None
        or then.came_ever is None
        or then.gone_ever is None
        or now.came_ever < then.came_ever
        or now.gone_ever < then.gone_ever
    ):
        return now
    came, gone = now.came_ever - then.came_ever, now.gone_ever - then.gone_ever
    return replace(now, traffic=Traffic(came, _left(now, then, came, gone), None, over, own=True))


def _left(now: Workload, then: Workload, came: int, gone: int) -> int:
    """As `orchestra.left_between` has it: the counter hears of a long call's work late, and then all at once."""
    if now.front is not None and then.front is not None and now.front > then.front:
        return now.front - then.front
    if now.front is None and then.front is None and now.depth is not None and then.depth is not None:
        return max(came + then.depth - now.depth, 0)
    return gone
