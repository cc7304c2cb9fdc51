"""How long a statement may take, from how long it has taken."""

from __future__ import annotations

from typing import Final

_STEPS: Final = (5, 10, 20, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 28800, 43200, 86400)
"""Seconds, as people write them."""
_FACTOR: Final = 3
LIMITED_GUESS_S: Final = 120
"""Where nothing is known and a `statement_timeout` bounds every statement: all that it leaves."""
GUESS_S: Final = 600
"""Where nothing is known: the longest that a cron job is advised to take."""


def generous(longest_ms: int, budget_ms: int) -> int:
    """Seconds: three times the longest run seen, rounded up, but within a budget that the longest itself fits into (0
    is no budget)."""
    wanted = longest_ms * _FACTOR / 1_000
    seconds = next((step for step in _STEPS if step >= wanted), -(-int(wanted) // 86_400) * 86_400)
    return budget_ms // 1_000 if budget_ms and longest_ms <= budget_ms < seconds * 1_000 else seconds


def guess(budget_ms: int) -> int:
    """Seconds."""
    return LIMITED_GUESS_S if budget_ms else GUESS_S


def spelled(seconds: int) -> str:
    """`90s`, `5m`, `2h` as a spec has it."""
    for unit, size in (("h", 3_600), ("m", 60)):
        if seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def taken(milliseconds: int) -> str:
    """A measured time for people: `12 ms`, `3.4 s`, `2 min 5 s`."""
    if milliseconds < 1_000:
        return f"{milliseconds} ms"
    if milliseconds < 60_000:
        return f"{milliseconds / 1_000:.1f} s"
    minutes, seconds = divmod(round(milliseconds / 1_000), 60)
    return f"{minutes} min {seconds} s" if seconds else f"{minutes} min"
