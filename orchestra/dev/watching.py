"""Noticing that files have changed: the library says that something did in a folder, contents say what."""

from __future__ import annotations

import hashlib
import importlib.util
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

DEBOUNCE_MS: Final = 150
"""An editor writes a file in several steps, or another beside it that it renames; so long they may take."""
_LEFT_OUT: Final = frozenset({".git", ".orchestra", "node_modules", "__pycache__", ".venv"})
_LARGEST: Final = 4 * 1024 * 1024


def installed() -> bool:
    return importlib.util.find_spec("watchfiles") is not None


class Watch:
    """Calls `changed` in a thread of its own after anything has changed directly in one of `folders`, or anywhere below
    one of `trees`. Folders that do not exist are left out."""

    def __init__(self, folders: Iterable[Path], trees: Iterable[Path], changed: Callable[[], None]) -> None:
        self.key = (frozenset(_there(folders)), frozenset(_there(trees)))
        self._changed = changed
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._look, args=(paths, recursive), name="watch", daemon=True)
            for paths, recursive in zip(self.key, (False, True), strict=True)
            if paths
        ]
        for thread in self._threads:
            thread.start()

    def watches(self, folders: Iterable[Path], trees: Iterable[Path]) -> bool:
        """Whether it watches just these, as far as they exist."""
        return self.key == (frozenset(_there(folders)), frozenset(_there(trees)))

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _look(self, paths: frozenset[Path], recursive: bool) -> None:
        from watchfiles import watch

        changes = watch(
            *paths,
            watch_filter=lambda _, path: not _LEFT_OUT.intersection(Path(path).parts),
            debounce=DEBOUNCE_MS,
            step=30,
            rust_timeout=300,
            yield_on_timeout=True,
            stop_event=self._stop,
            raise_interrupt=False,
            recursive=recursive,
            ignore_permission_denied=True,
        )
        try:
            begun = False
            for seen in changes:
                # What was saved before the folders were watched is seen by nobody else.
                if seen or not begun:
                    begun = True
                    self._changed()
        except (OSError, RuntimeError):
            # A folder that was watched is gone; who listens looks what there is now.
            self._changed()


class Contents:
    """What files held when they were last looked at."""

    def __init__(self) -> None:
        self._known: dict[Path, str] = {}

    def changed(self, files: Iterable[Path]) -> frozenset[Path]:
        """Of these files, those that are new, gone or other than the last time; all of them are remembered."""
        now = {path: digest for path in files if (digest := _digest(path))}
        before, self._known = self._known, now
        return frozenset(p for p in now.keys() | before.keys() if now.get(p) != before.get(p))

    def meet(self, files: Iterable[Path]) -> None:
        """Remember those of these files that were not known yet, as they are."""
        self._known |= {p: digest for p in files if p not in self._known and (digest := _digest(p))}


def sources_below(folder: Path) -> list[Path]:
    """The files of a tree of functions."""
    if not folder.is_dir():
        return []
    return [
        path
        for path in folder.rglob("*")
        if path.is_file()
        and not path.name.endswith(("~", ".swp", ".unfinished"))
        and not _LEFT_OUT.intersection(path.relative_to(folder).parts)
    ]


def _there(paths: Iterable[Path]) -> Iterable[Path]:
    return (path.absolute() for path in paths if path.is_dir())


def _digest(path: Path) -> str:
    try:
        if path.stat().st_size > _LARGEST:
            return f"{path.stat().st_mtime_ns}"
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""  # gone
