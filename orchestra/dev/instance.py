"""One `orchestra dev` for each project directory: who it is, and that there is no other.

The lock goes with its process, however that ends; the file says who has it.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import IO, Final

from orchestra.errors import LockedError, OrchestraError

FILE: Final = "dev.json"
STOP_S: Final = 20.0
"""For a process that was asked to end; it waits for calls that may take five seconds."""


@dataclass(frozen=True, slots=True)
class Running:
    """`functions` is where they answer, empty where none are served."""

    pid: int
    functions: str = ""

    def __str__(self) -> str:
        where = f", functions at {self.functions}" if self.functions else ""
        return f"process {self.pid}{where}"


class Instance:
    """The lock, while it is held."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file
        self._running = Running(os.getpid())
        self._write()

    def serves(self, functions: str) -> None:
        self._running = replace(self._running, functions=functions)
        self._write()

    def _write(self) -> None:
        self._file.seek(0)
        self._file.truncate()
        json.dump(asdict(self._running), self._file)
        self._file.write("\n")
        self._file.flush()


@contextmanager
def only_one(directory: Path) -> Iterator[Instance]:
    """While it is open no other may begin in `directory`, which is made where it is not there.

    Raises LockedError where one is running, OrchestraError where nothing can be written there.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
        file = (directory / FILE).open("a+", encoding="utf-8")
    except OSError as fault:
        raise OrchestraError(
            f"orchestra dev keeps its database in {directory}, where nothing can be written: {fault.strerror}",
            "run it in a folder that you may write to",
        ) from fault
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LockedError(
                f"orchestra dev is running here already: {_read(file) or 'it has just begun'}",
                "it takes up what you save; orchestra dev stop ends it",
            ) from None
        yield Instance(file)
        file.seek(0)
        file.truncate()


def running(directory: Path) -> Running | None:
    """The one that runs in `directory`, if one does."""
    try:
        file = (directory / FILE).open("r", encoding="utf-8")
    except OSError:
        return None
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return _read(file)
    return None


def end(directory: Path) -> Running | None:
    """Ask the one that runs in `directory` to end, and wait until it has; None where none runs.

    Raises OrchestraError where it does not end.
    """
    found = running(directory)
    if found is None:
        return None
    try:
        os.kill(found.pid, signal.SIGTERM)
    except ProcessLookupError:
        return found
    except PermissionError:
        raise OrchestraError(f"{found} is another user's", "ask that user to end it") from None
    deadline = time.monotonic() + STOP_S
    while running(directory) == found:
        if time.monotonic() > deadline:
            raise OrchestraError(f"{found} does not end", f"end it at once: kill -9 {found.pid}")
        time.sleep(0.05)
    return found


def _read(file: IO[str]) -> Running | None:
    file.seek(0)
    try:
        found = json.loads(file.read())
        return Running(int(found["pid"]), str(found.get("functions") or ""))
    except (ValueError, KeyError, TypeError, AttributeError):
        return None  # it is being written
