"""Intervals that pg_cron represents exactly, anchored to the epoch."""

from __future__ import annotations

from bisect import bisect_left
from typing import Final

from orchestra.ir import cron

EXACT: Final = tuple(
    ms
    for ms in sorted(
        {
            *(n * cron.SECOND for n in range(1, 60)),
            *(n * cron.MINUTE for n in range(1, 61)),
            *(n * cron.HOUR for n in range(1, 25)),
            7 * cron.DAY,
        }
    )
    if cron.every(ms) is not None
)


def nearest(interval_ms: int) -> tuple[int, ...]:
    """The exact interval below and the one above, where there are such."""
    position = bisect_left(EXACT, interval_ms)
    return EXACT[max(0, position - 1) : position + 1]
