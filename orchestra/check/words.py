"""How findings speak: durations as YAML writes them, lists of names, the nearest known name."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from orchestra.classify.words import keys as listed
from orchestra.ir.cron import label

__all__ = ["did_you_mean", "listed", "near", "rounded_up", "yaml_duration"]


def yaml_duration(ms: float) -> str:
    """The shortest exact spelling of a duration: `90s`, `2m`, `1h`."""
    return label(round(ms))


def rounded_up(ms: float) -> str:
    """A duration that need not be exact: in whole seconds, above two minutes in whole minutes."""
    unit = 1_000 if ms <= 120_000 else 60_000
    return label(-(-round(ms) // unit) * unit)


def near(name: str, known: Iterable[str]) -> str | None:
    found = get_close_matches(name, sorted(known), n=1, cutoff=0.7)
    return found[0] if found else None


def did_you_mean(name: str, known: Iterable[str], otherwise: str) -> str:
    """`Did you mean …?`, or the other advice where nothing known comes near."""
    match = near(name, known)
    return f"Did you mean `{match}`?" if match is not None else otherwise
