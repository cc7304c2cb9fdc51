"""Writing files so that nobody ever sees half of one."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from orchestra.errors import OrchestraError

_UNFINISHED: Final = ".unfinished"
_ABANDONED_S: Final = 120


def write(path: Path, text: str, *, private: bool = False, durable: bool = True) -> None:
    """Write beside the target and rename over it. `private` keeps it from other users of the machine; a file that
    can be made again need not be `durable`, that is, on the disk before this returns.

    A symbolic link stays, and what it leads to is written. So does a device or a pipe (`--out /dev/null`), which a file
    that is renamed would take the place of for everybody."""
    try:
        if path.exists() and not path.is_file():
            path.write_text(text, encoding="utf-8", newline="")
            return
        target = Path(os.path.realpath(path))
        target.parent.mkdir(parents=True, exist_ok=True)
        written = beside(target, text, private=private, durable=durable)
        try:
            written.replace(target)
        finally:
            written.unlink(missing_ok=True)
    except OSError as error:
        raise OrchestraError(f"cannot write {path}: {error.strerror or error}") from None


def beside(path: Path, text: str, *, private: bool = False, durable: bool = True) -> Path:
    """A temporary file in the same directory, ready to be renamed; OSError leaves none."""
    mode = 0o600 if private else _mode(path)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=_UNFINISHED, dir=path.parent)
    made = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            if durable:
                os.fsync(file.fileno())
        made.chmod(mode)
    except BaseException:
        made.unlink(missing_ok=True)
        raise
    return made


def write_new(path: Path, lines: Iterable[str]) -> None:
    """The same for a file that must not be there yet, line by line: it appears when it is whole, or not at all."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=_UNFINISHED, dir=path.parent)
        made = Path(name)
        try:
            with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
                file.writelines(lines)
                file.flush()
                os.fsync(file.fileno())
            os.link(made, path)
        finally:
            made.unlink(missing_ok=True)
    except OSError as error:
        raise OrchestraError(f"cannot write {path}: {error.strerror or error}") from None


def sweep(places: Iterable[tuple[Path, Path]]) -> None:
    """Removes what writers of files left beside them when they were killed: it is minutes older than what has just been
    written beside the same file, the second of each pair."""
    fresh = {(place.parent, place.name): written for place, written in places}
    for folder in {folder for folder, _ in fresh}:
        for left in folder.glob(f".*{_UNFINISHED}"):
            ours = fresh.get((folder, left.name[1:].removesuffix(_UNFINISHED).rpartition(".")[0]))
            with contextlib.suppress(OSError):
                if ours is not None and left.stat().st_mtime < ours.stat().st_mtime - _ABANDONED_S:
                    left.unlink()


def read(path: Path) -> str:
    try:
        # As written, line ends included: what is compared is bytes.
        return path.read_bytes().decode("utf-8")
    except OSError as error:
        raise OrchestraError(f"cannot read {path}: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise OrchestraError(f"cannot read {path}: it is not UTF-8 text") from None


def _mode(path: Path) -> int:
    """What the file has now, or what a new one gets from the user's mask."""
    if path.exists():
        return path.stat().st_mode & 0o777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask
