"""Writing files so that nobody ever sees half of one."""

from __future__ import annotations

import contextlib
import glob
import os
import tempfile
from pathlib import Path
from typing import Final

from orchestra.errors import OrchestraError

_UNFINISHED: Final = ".unfinished"
_ABANDONED_S: Final = 120


def write(path: Path, text: str, *, private: bool = False, durable: bool = True) -> None:
    """Write beside the target and rename over it. `private` keeps it from other users of the machine; a file that
    can be made again need not be `durable`, that is, on the disk before this returns."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        written = beside(path, text, private=private, durable=durable)
        try:
            written.replace(path)
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


def sweep(path: Path, written: Path) -> None:
    """Removes what writers of `path` left beside it when they were killed: it is minutes older than `written`."""
    now = written.stat().st_mtime
    for left in path.parent.glob(f".{glob.escape(path.name)}.*{_UNFINISHED}"):
        with contextlib.suppress(OSError):
            if left.stat().st_mtime < now - _ABANDONED_S:
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
