"""Numbers of the capacity proof for people: few digits, never more than were known."""

from __future__ import annotations


def seconds(s: float) -> str:
    """`0.024 s`, `7.5 s`, `260 s`, `12 min`, `3.5 h`, `9.2 days`."""
    if s >= 2 * 86_400:
        return f"{digits(s / 86_400)} days"
    if s >= 2 * 3_600:
        return f"{digits(s / 3_600)} h"
    return f"{digits(s / 60)} min" if s >= 600 else f"{digits(s)} s"


def rate(per_s: float) -> str:
    """`47.6/s`, or per minute or hour where that reads better: `3/min`."""
    if per_s >= 1 or per_s == 0:
        return f"{digits(per_s)}/s"
    return f"{digits(per_s * 60)}/min" if per_s * 60 >= 1 else f"{digits(per_s * 3_600)}/h"


def digits(x: float) -> str:
    """Three significant digits, thousands separated: `0.0235`, `47.6`, `1,930`."""
    return f"{x:,.0f}" if x >= 1_000 else f"{float(f'{x:.3g}'):g}"


def times(ratio: float) -> str:
    """`9.5 times`; `just` where it is about one, and two digits only there."""
    return (
        f"{ratio:,.0f} times" if ratio >= 20 else f"{ratio:.2g} times" if ratio >= 2 else f"{ratio:.2f} times"
    )
