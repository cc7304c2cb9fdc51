"""The folder of migrations and the lock beside it: read as one, and written as one."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestra.cli.tree import Tree
from orchestra.errors import OrchestraError, UsageError

if TYPE_CHECKING:
    from orchestra.migrate import Lock, Migration

FOLDER = "migrations"


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a file of a migration: `deleted`, `edited`, or `unknown` to the lock."""

    file: str
    what: str

    @property
    def said(self) -> str:
        return {
            "deleted": "was deleted after it was written",
            "edited": "was edited after it was written",
            "unknown": "is a migration of this project that the lock does not know",
        }[self.what]


class Migrations:
    """Those of one project below `out`. `former` is the name that it had, where the spec says that it was renamed."""

    def __init__(self, out: Path, project: str, former: str | None = None) -> None:
        from orchestra.migrate.lock import name_of

        self._tree = Tree(out)
        self._project = project
        self._former = former
        self._lock_path = name_of(project)

    @property
    def lock_shown(self) -> str:
        return self._tree.shown(self._lock_path)

    def shown(self, file: str) -> str:
        return self._tree.shown(f"{FOLDER}/{file}")

    @cached_property
    def lock(self) -> Lock:
        """Under the project's former name where there is none under its own yet."""
        from orchestra.migrate.lock import Lock, load, name_of

        for project in (self._project, self._former):
            path = name_of(project) if project else ""
            if project and (text := self._tree.read(path)) is not None:
                return load(text, project, self._tree.shown(path))
        return Lock(self._project)

    @property
    def names(self) -> list[str]:
        """What the 14 digits have to be above: every file, and every folder that stands for one."""
        found = (path.split("/")[1:] for path in self._tree.below(FOLDER, ".sql"))
        there = {parts[0] if len(parts) == 1 else f"{parts[0]}.sql" for parts in found}
        return [*sorted(there), *(m.file for m in self.lock.migrations)]

    @cached_property
    def texts(self) -> dict[str, str]:
        """All files of the folder that a migration tool would run, by name, whoever wrote them."""
        found = self._tree.below(FOLDER, ".sql")
        names = (path.removeprefix(f"{FOLDER}/") for path in found)
        return {name: found[f"{FOLDER}/{name}"] for name in sorted(names) if "/" not in name}

    @cached_property
    def faults(self) -> list[Fault]:
        from orchestra.migrate.lock import text_hash
        from orchestra.migrate.text import owner_of

        known = {m.file: m.sha256 for m in self.lock.migrations}
        found = []
        for file, sha256 in known.items():
            text = self.texts.get(file)
            if text is None:
                found.append(Fault(file, "deleted"))
            elif text_hash(text) != sha256:
                found.append(Fault(file, "edited"))
        ours = (self._project, self._former or self._project)
        strange = (f for f, text in self.texts.items() if f not in known and owner_of(text) in ours)
        return [*found, *(Fault(f, "unknown") for f in strange)]

    def keep(self, file: str) -> None:
        """Enter a file that the lock does not know, as one that databases have run."""
        from orchestra.migrate.lock import Migration, state_hash, text_hash

        if Fault(file, "unknown") not in self.faults:
            raise UsageError(
                f"--keep {file}: that is no migration of {self._project} that the lock does not know",
                "name a file of the folder, without the folder",
            )
        lock = self.lock
        if not lock.migrations:
            raise UsageError(
                f"--keep {file}: there is no lock yet to enter it in",
                f"take {self.lock_shown} from git again",
            )
        entry = Migration(file, text_hash(self.texts[file]), state_hash(lock.state.values()))
        self.lock = _with(lock, entry)
        self.faults = [f for f in self.faults if f.file != file]

    def write(self, lock: Lock, file: str | None, text: str) -> None:
        """The migration, if there is one, and then the lock; Ctrl-C waits until both are there."""
        from orchestra.migrate.lock import dump, name_of

        texts = {} if file is None else {f"{FOLDER}/{file}": text}
        if file in self.texts:
            raise OrchestraError(f"{self.shown(str(file))} is there already", "run orchestra migrate again")
        old = [] if self.lock.project == lock.project else [name_of(self.lock.project)]
        with _uninterrupted():
            self._tree.change({**texts, name_of(lock.project): dump(lock)}, old)


def _with(lock: Lock, entry: Migration) -> Lock:
    return replace(lock, migrations=tuple(sorted((*lock.migrations, entry), key=lambda m: m.file)))


@contextmanager
def alone(out: Path) -> Iterator[None]:
    """Waits until no other `orchestra migrate` is at work in the folder; where the system has such locks."""
    try:
        import fcntl
    except ImportError:  # pragma: no cover
        yield
        return
    above = out.absolute().parent
    while not above.is_dir():
        above = above.parent
    handle = os.open(above, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


@contextmanager
def _uninterrupted() -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    former: Any = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, former)
