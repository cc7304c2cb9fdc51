"""The schema `orchestra` in the database: hand-written SQL, its version and what it shall look like when installed."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final

VERSION: Final = 4
"""Counts the migrations: `migrations/0001_….sql` brings a database to version 1."""
OLDEST_TOOL: Final = "0.1.0"
"""The oldest orchestra that understands this version."""
APPLY_LOCK: Final = 0x6F72636865737472
"""The advisory lock of whoever changes a database, an apply or a migration: the letters of `orchestr`."""

_FUNCTION: Final = re.compile(r"^create or replace (?:function|procedure) orchestra\.(\w+)", re.MULTILINE)
_TABLE: Final = re.compile(r"^create table orchestra\.(\w+)", re.MULTILINE)
_ROOT: Final = files(__name__)


@cache
def migrations() -> tuple[tuple[int, str], ...]:
    """Number and text of each migration, in order."""
    return tuple((int(f.name[:4]), f.read_text("utf-8")) for f in _sorted(_ROOT / "migrations"))


@cache
def functions() -> tuple[tuple[str, str], ...]:
    """Name and text of each file of functions, in the order in which they are (re)made."""
    return tuple((f.name, f.read_text("utf-8")) for f in _sorted(_ROOT / "functions"))


@cache
def fingerprint_sql() -> str:
    """A query that hashes the installed runtime from catalogue columns."""
    text = (_ROOT / "fingerprint.sql").read_text("utf-8")
    for name, pattern, sources in (
        (":functions", _FUNCTION, (text for _, text in functions())),
        (":tables", _TABLE, (text for _, text in migrations())),
    ):
        found = sorted({match for source in sources for match in pattern.findall(source)})
        text = text.replace(name, "array[" + ", ".join(f"'{n}'" for n in found) + "]")
    return text


@cache
def expected_fingerprint() -> str:
    """What `fingerprint_sql` answers where this very runtime is installed."""
    return (_ROOT / "fingerprint.txt").read_text("utf-8").strip()


def _sorted(folder: Traversable) -> list[Traversable]:
    return sorted((f for f in folder.iterdir() if f.name.endswith(".sql")), key=lambda f: f.name)
