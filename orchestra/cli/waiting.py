"""Looking again and again until nothing is left, with a line on the terminal that says how far it is."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import Final, TypeVar

T = TypeVar("T")

EVERY_S: Final = 0.5
_RATE_OF_S: Final = 10.0
"""A rate is of this long: what stood still before the first worker came is no part of it."""


def until_none(
    look: Callable[[], T], total: Callable[[T], int], timeout_s: float | None, *, looks: int = 1
) -> T:
    """The last look: one of `looks` in a row that found nothing left, or the one at which the time was over."""
    from orchestra.cli.progress import Progress

    progress = Progress()
    start = time.monotonic()
    seen: deque[tuple[float, int]] = deque()
    most = clean = 0
    try:
        while True:
            found = look()
            left = total(found)
            most = max(most, left)
            clean = 0 if left else clean + 1
            gone = time.monotonic() - start
            progress(most - left, most, said(left, rate(seen, gone, left)))
            if clean >= looks or (timeout_s is not None and gone >= timeout_s):
                return found
            time.sleep(EVERY_S)
    finally:
        progress.end()


def rate(seen: deque[tuple[float, int]], at_s: float, left: int) -> float | None:
    """How many a second have ended of late. None before there is enough to tell, and where nothing has. Keeps in `seen`
    what was left at which second."""
    seen.append((at_s, left))
    while len(seen) > 1 and seen[1][0] <= at_s - _RATE_OF_S:
        seen.popleft()
    then, before = seen[0]
    if at_s - then < _RATE_OF_S or before <= left:
        return None
    return (before - left) / (at_s - then)


def said(left: int, a_second: float | None) -> str:
    """`1,204 left, 36.5/s`."""
    return f"{left:,} left" + ("" if a_second is None else f", {a_second:,.1f}/s")
