"""Where a session works: the folder of the spec, what lies beside it, and which database is meant."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from orchestra.cli import database, local
from orchestra.cli.specs import nearest, relative
from orchestra.errors import UsageError

FOLDER = ".orchestra"


@dataclass(frozen=True, slots=True)
class Place:
    """`specs` are the paths as given, `directory` is `.orchestra` beside the spec, `supabase` the folder of that name,
    which need not exist. `stack` is the URL of a running Supabase stack; empty where the embedded database is meant."""

    specs: tuple[Path, ...]
    home: Path
    directory: Path
    supabase: Path
    stack: str
    where: str

    @property
    def functions(self) -> Path:
        return self.supabase / "functions"


def find(paths: Sequence[Path]) -> Place:
    """Raises UsageError where there is no spec."""
    specs = tuple(paths) or (nearest(),)
    for path in specs:
        if not path.exists() and not any(sign in str(path) for sign in "*?["):
            raise UsageError(f"there is no spec {path}", "name the file of the spec, or its folder")
    home = database.home_of(specs)
    stack = local.supabase(home)
    url, where = stack or ("", f"the embedded database under {relative(home / FOLDER)}/")
    return Place(specs, home, home / FOLDER, local.folder(home), url, where)


def directory(paths: Sequence[Path]) -> Path:
    """`.orchestra` of the spec, or of the current folder where there is no spec."""
    return database.home_of(paths) / FOLDER


def named_elsewhere() -> bool:
    """Whether the environment names a database, which a session never uses: it may be anybody's."""
    return bool(os.environ.get(database.VARIABLE))
