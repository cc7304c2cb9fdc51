"""New files in several folders: all of them, or none."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Mapping
from pathlib import Path

from orchestra.cli import files
from orchestra.cli.specs import relative
from orchestra.errors import BlockedError, OrchestraError


def place(texts: Mapping[Path, str], grown: Mapping[Path, str]) -> None:
    """Write new files, and then new texts into those that are there (`grown`, with the text that they were read with).
    A file that has come in between is not overwritten. Whatever ends this early, Ctrl-C too, takes back what it did."""
    undo = contextlib.ExitStack()
    path = Path()
    try:
        with undo:
            ready: list[tuple[Path, Path]] = []
            for path, text in texts.items():
                target = path.resolve() if path in grown else path
                _folders(target.parent, undo)
                made = files.beside(target, text)
                undo.callback(made.unlink, missing_ok=True)
                ready.append((made, target))
            for path, (made, target) in zip(texts, ready, strict=True):
                if path in grown:
                    _replace(made, target, grown[path], undo)
                else:
                    _link(made, target)
                    undo.callback(target.unlink, missing_ok=True)
            for made, _ in ready:
                made.unlink(missing_ok=True)
            undo.pop_all()
    except FileExistsError:
        raise BlockedError(
            f"{relative(path)} has come into being meanwhile", "run orchestra init again"
        ) from None
    except OSError as error:
        raise OrchestraError(
            f"cannot write {relative(path)}: {error.strerror or error}; nothing was written"
        ) from None


def _folders(folder: Path, undo: contextlib.ExitStack) -> None:
    missing = []
    while not folder.exists():
        missing.append(folder)
        folder = folder.parent
    for one in reversed(missing):
        one.mkdir()
        undo.callback(_remove, one)


def _remove(folder: Path) -> None:
    with contextlib.suppress(OSError):
        folder.rmdir()


def _link(made: Path, target: Path) -> None:
    """As a new file, and in no case over one that is there."""
    try:
        os.link(made, target)
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.ENOTSUP, errno.EMLINK):
            raise
        if target.exists():  # a disk without hard links
            raise FileExistsError from None
        made.replace(target)


def _replace(made: Path, target: Path, before: str, undo: contextlib.ExitStack) -> None:
    if files.read(target) != before:
        raise BlockedError(f"{relative(target)} was changed meanwhile", "run orchestra init again")
    made.replace(target)
    undo.callback(files.write, target, before)
