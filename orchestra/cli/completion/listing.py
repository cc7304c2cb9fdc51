"""The files that a typed path may become, for shells that leave that to us."""

from __future__ import annotations

import os
from pathlib import Path

from orchestra.cli.completion.find import File


def expanded(path: str) -> Path:
    """With one's own home for a `~/`; shells see to the homes of others."""
    return Path.home() / path[2:] if path.startswith("~/") else Path(path)


def paths(typed: str, wanted: File) -> list[str]:
    """Files, and folders with a slash at their end, in order of names. What cannot be read has none, and names that
    cannot stand on a line are left out."""
    folder, slash, start = typed.rpartition("/")
    try:
        base = expanded(folder + slash)
        with os.scandir(base) as entries:
            found = sorted(
                e.name + ("/" if _is_folder(e) else "") for e in entries if e.name.startswith(start)
            )
    except (OSError, RuntimeError, ValueError):
        return []
    if start in (".", ".."):
        found.insert(0, "../")
    return [
        folder + slash + name
        for name in found
        if name.isprintable()
        and (start or not name.startswith("."))
        and (name.endswith("/") or (not wanted.folders and name.endswith(wanted.endings or "")))
    ]


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False
