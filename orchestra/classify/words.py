"""How the classifier writes numbers: short, with a unit, never rounded across a boundary."""

from __future__ import annotations

from collections.abc import Iterable

_UNITS = ((3_600_000, "h"), (60_000, "min"), (1_000, "s"))


def duration(ms: int) -> str:
    """`29999` -> `29.999 s`, `120000` -> `2 min`, `400` -> `400 ms`: exact, in the largest whole unit."""
    if ms < 1_000:
        return f"{ms} ms"
    for size, unit in _UNITS:
        if ms % size == 0:
            return f"{ms // size} {unit}"
    return f"{ms / 1_000:g} s" if ms < 1_000_000 else f"{ms // 1_000}.{ms % 1_000:03d} s"


def count(n: float) -> str:
    """`50000` -> `50,000`."""
    return f"{n:,.0f}"


def keys(names: Iterable[str]) -> str:
    """`('a', 'b', 'c')` -> "`a`, `b` and `c`"."""
    quoted = [f"`{n}`" for n in names]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} and {quoted[-1]}"
