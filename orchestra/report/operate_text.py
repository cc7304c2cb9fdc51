"""What an operator's verb is about to do and has done, in words; names and texts of the database made harmless."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from orchestra.report.cells import cut, pad, visible, width
from orchestra.report.history_words import moment
from orchestra.report.style import PLAIN, Style

if TYPE_CHECKING:
    from orchestra.operate.pausing import Standing

COUNTED = 10_000
"""Up to how many messages `orchestra.status()` counts."""
_SHOWN = 20


def standings(found: Sequence[Standing], style: Style = PLAIN) -> str:
    """A line a workload: what waits, what is in flight, when it is due next."""
    names = max((width(visible(w.workload)) for w in found), default=0)
    lines = [
        cut(f"  {pad(visible(w.workload), names)}  {', '.join(_facts(w))}", style.width)
        for w in found[:_SHOWN]
    ]
    if len(found) > _SHOWN:
        lines.append(style.dim(f"  … and {len(found) - _SHOWN:,} more"))
    return "\n".join(lines)


def _facts(found: Standing) -> Iterator[str]:
    if found.waiting is not None:
        more = "+" if found.waiting >= COUNTED else ""
        yield f"{found.waiting:,}{more} waiting"
    yield f"{found.in_flight:,} in flight"
    if found.next_due is not None:
        yield f"next due {moment(found.next_due)}"
    if found.paused:
        yield "paused by itself"


def names(found: Sequence[str], project: str) -> str:
    """`project shop`, `workload import`, `workloads import and mail`."""
    if not found:
        return f"project {visible(project)}"
    listed = [visible(name) for name in found]
    if len(listed) > 5:
        listed = [*listed[:5], f"{len(found) - 5:,} more"]
    joined = " and ".join([", ".join(listed[:-1]), listed[-1]] if listed[1:] else listed)
    return f"{'workload' if len(found) == 1 else 'workloads'} {joined}"
