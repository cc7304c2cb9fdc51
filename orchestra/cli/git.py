"""The commit that is checked out, for the ledger: read from the files of the repository, git is not run."""

from __future__ import annotations

import re
from pathlib import Path

_HASH = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


def commit(start: Path) -> str | None:
    """The hash of HEAD, or None where there is no repository or its files are not the simple kind."""
    try:
        home = next((d for d in (start, *start.absolute().parents) if (d / ".git").exists()), None)
        return _head(_directory(home / ".git")) if home else None
    except (OSError, ValueError):
        return None


def _directory(dot_git: Path) -> Path:
    """The repository itself; in a worktree or a submodule `.git` is a file that names it."""
    if dot_git.is_dir():
        return dot_git
    return dot_git.parent / dot_git.read_text(encoding="utf-8").removeprefix("gitdir:").strip()


def _head(repository: Path) -> str | None:
    head = (repository / "HEAD").read_text(encoding="utf-8").strip()
    if not head.startswith("ref:"):
        return _hash(head)
    name = head.removeprefix("ref:").strip()
    common = repository / "commondir"
    shared = repository / common.read_text(encoding="utf-8").strip() if common.exists() else repository
    for place in (repository, shared):
        if (place / name).is_file():
            return _hash((place / name).read_text(encoding="utf-8").strip())
    packed = shared / "packed-refs"
    if packed.is_file():
        for line in packed.read_text(encoding="utf-8").splitlines():
            if line.endswith(f" {name}"):
                return _hash(line.split()[0])
    return None


def _hash(text: str) -> str | None:
    return text if _HASH.fullmatch(text) else None
