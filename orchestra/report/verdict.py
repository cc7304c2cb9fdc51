"""Whose database a plan is for, and what it comes to where it comes to nothing: said alike in every format."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from orchestra.plan.conditions import BY_HAND
from orchestra.plan.model import Change, Condition, Target
from orchestra.report.words import count

AS_LEFT: Final = "The database is as the last apply left it."
"""What is said after `No drift.`"""


def database(target: Target) -> str:
    """`postgres on db.example.com`."""
    host = "a local socket" if target.host == "local socket" else target.host
    return f"{target.database} on {host}" if host else target.database


def about(target: Target) -> list[tuple[str, str]]:
    """Names and values of what is known of a target."""
    rows = [
        ("Database", database(target)),
        ("Chosen by", target.where),
        ("Environment", target.environment),
        ("Role", target.role),
        ("Server", f"PostgreSQL {target.server_version}"),
    ]
    return [(name, value) for name, value in rows if value]


def in_step(unchanged: int, *, destroying: bool) -> str:
    """What is said after `No changes.`"""
    if destroying:
        return "Nothing of this project is in this database."
    if unchanged == 1:
        return "The database matches the spec: the one resource is as the spec says."
    return f"The database matches the spec: all {count(unchanged, 'resource')} are as the spec says."


def drift(changes: Sequence[Change], conditions: Sequence[Condition]) -> str | None:
    """What a look at drift found, in a sentence; None where there is none that nobody has accepted."""
    by_hand = sum(c.code in BY_HAND for c in conditions)
    parts = [f"{count(len(changes), 'object')} changed outside orchestra"] if changes else []
    parts += [f"{count(by_hand, 'object')} paused or resumed by hand"] if by_hand else []
    return f"Drift: {', '.join(parts)}." if parts else None
