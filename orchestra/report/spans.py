"""Durations, rates and large numbers, as short as they can be read."""

from __future__ import annotations

_UNITS = (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1))


def span(seconds: float) -> str:
    """Two units at most: `250ms`, `12s`, `4m 12s`, `3h`, `2d 5h`."""
    if seconds < 0.9995:
        return f"{max(0, round(seconds * 1_000))}ms"
    left = round(seconds)
    for place, (unit, size) in enumerate(_UNITS):
        if left >= size:
            whole, rest = divmod(left, size)
            smaller, its_size = _UNITS[min(place + 1, len(_UNITS) - 1)]
            more = rest // its_size if unit != "s" else 0
            return f"{whole}{unit}" + (f" {more}{smaller}" if more else "")
    return "0s"


def short(seconds: float) -> str:
    """One unit: `250ms`, `12s`, `4m`, `3h`, `2d`."""
    return span(seconds).partition(" ")[0]


def rate(count: float, seconds: float) -> str:
    """`1,240/s`, `3.2/s`, `14/m`, `2/h`; `0/s` is none at all."""
    if count <= 0 or seconds <= 0:
        return "0/s"
    for unit, size in (("s", 1), ("m", 60)):
        per = count / seconds * size
        if per >= 0.95:
            return f"{_figure(per)}/{unit}"
    return f"{_figure(max(count / seconds * 3_600, 0.1))}/h"


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 9.95 or abs(value - round(value)) < 0.05 else f"{value:.1f}"
