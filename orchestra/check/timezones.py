"""The names of time zones, from the tzdata package: the same on every machine."""

from __future__ import annotations

from functools import cache
from importlib.resources import files


@cache
def known() -> frozenset[str]:
    """Every IANA name, links included."""
    return frozenset(files("tzdata").joinpath("zones").read_text(encoding="utf-8").split())
