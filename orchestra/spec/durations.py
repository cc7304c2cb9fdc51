"""Durations and rates as written -> numbers. The schema has checked their form."""

from __future__ import annotations

from typing import Final

_MS: Final = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_SECONDS: Final = {"s": 1, "m": 60, "h": 3_600}


class Milliseconds(dict[str, int]):
    """`ms["30s"]` is 30000; each distinct text is read once."""

    def __missing__(self, text: str) -> int:
        value = self[text] = milliseconds(text)
        return value


def milliseconds(text: str) -> int:
    """`250ms 30s 5m 2h 7d` as milliseconds."""
    unit = text.lstrip("0123456789")
    return int(text[: len(text) - len(unit)]) * _MS[unit]


def per_second(text: str) -> float:
    """`20/s 500/m 0.5/h` as a rate per second."""
    amount, _, unit = text.partition("/")
    return float(amount) / _SECONDS[unit]
