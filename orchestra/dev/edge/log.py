"""What the functions and the runner say, line by line."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TextIO

KEPT = 50_000  # lines; the oldest go first
LINE_BYTES = 65_536

Stream = Literal["stdout", "stderr", "runner"]


@dataclass(frozen=True)
class LogLine:
    function: str
    pid: int | None  # None where no isolate said it
    stream: Stream
    text: str

    def __str__(self) -> str:
        return f"{self.function}[{self.pid or '-'}] {self.stream}: {self.text}"


class Log:
    """Lines of all functions in the order of their arrival; any thread may read it."""

    def __init__(self, callback: Callable[[LogLine], None] | None = None, file: Path | None = None) -> None:
        """`callback` is called in the runner's thread, and must not block it. `file` is appended to."""
        self._lines: deque[LogLine] = deque(maxlen=KEPT)
        self._lock = threading.Lock()
        self._callback = callback
        self._path = file
        self._file: TextIO | None = None  # opened with the first line

    def add(self, line: LogLine) -> None:
        with self._lock:
            self._lines.append(line)
            if self._file is None and self._path is not None:
                self._file = self._path.open("a", encoding="utf-8", buffering=1)
            if self._file is not None:
                self._file.write(f"{line}\n")
        if self._callback is not None:
            try:
                self._callback(line)
            except Exception as fault:  # the caller's; it must not end an isolate
                self._callback = None
                self.add(LogLine(line.function, line.pid, "runner", f"on_log is called no more: {fault!r}"))

    def lines(self) -> list[LogLine]:
        with self._lock:
            return list(self._lines)

    def close(self) -> None:
        with self._lock:
            if self._file is not None:
                self._file.close()
            self._file = self._path = None


async def collect(pipe: asyncio.StreamReader, say: Callable[[str], None]) -> None:
    """Hand on what comes out of a pipe, line by line, until its end; of a line beyond LINE_BYTES its beginning."""
    line = _Line()
    while piece := await pipe.read(65536):
        *ends, rest = piece.split(b"\n")
        for end in ends:
            line.add(end)
            say(line.text().rstrip("\r"))
            line = _Line()
        line.add(rest)
    if line.length:
        say(line.text())


class _Line:
    """What has come of a line so far."""

    def __init__(self) -> None:
        self.length = 0
        self._kept = bytearray()

    def add(self, piece: bytes) -> None:
        self.length += len(piece)
        self._kept += piece[: LINE_BYTES - len(self._kept)]

    def text(self) -> str:
        cut = self.length - len(self._kept)
        return self._kept.decode(errors="replace") + (f" … {cut} bytes more" if cut else "")
