"""Words that several checks share."""

from __future__ import annotations

from orchestra.doctor.ask import Answer
from orchestra.doctor.model import Check, Group, State


def unasked(group: Group, code: str, what: str, answer: Answer, remedy: str = "", command: str = "") -> Check:
    """What could not be asked, and why."""
    return Check(group, code, State.UNKNOWN, f"{what} could not be asked: {answer.why}", remedy, command)


def lasting(seconds: float) -> str:
    """`40 s`, `12 min`, `3 h`, `9 days`."""
    for size, word in ((86_400, "days"), (3_600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {word}"
    return f"{seconds:.0f} s"


def size(count: float) -> str:
    """`12 MB`, `3.4 GB`."""
    for unit, word in ((1 << 30, "GB"), (1 << 20, "MB"), (1 << 10, "kB")):
        if count >= unit:
            return f"{count / unit:.1f} {word}" if count < 10 * unit else f"{count / unit:.0f} {word}"
    return f"{count:.0f} bytes"
