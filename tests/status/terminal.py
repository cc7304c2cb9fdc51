"""A process on a terminal of its own, as a person has it: what it wrote, keys, the size of its window."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path
from types import TracebackType
from typing import Self

ROOT = Path(__file__).parents[2]
LIMIT_S = 60


class Terminal:
    """`orchestra ARGUMENTS` under a pseudo-terminal of `size` (lines, columns)."""

    def __init__(
        self, *arguments: str, cwd: Path, size: tuple[int, int] = (30, 100), **environment: str
    ) -> None:
        self.master, slave = pty.openpty()
        self.written = ""
        self._size(size)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "orchestra", *arguments],
            cwd=cwd,
            env={
                "PATH": os.environ["PATH"],
                "PYTHONPATH": str(ROOT),
                "TERM": "xterm",
                "HOME": str(cwd),
                **environment,
            },
            stdin=slave,
            stdout=slave,
            stderr=slave,
            preexec_fn=lambda: _take_terminal(slave),
            close_fds=True,
        )
        os.close(slave)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(LIMIT_S)
        if self.master >= 0:
            os.close(self.master)

    def _size(self, size: tuple[int, int]) -> None:
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", *size, 0, 0))

    def resize(self, lines: int, columns: int) -> None:
        """The kernel tells the process by SIGWINCH."""
        self._size((lines, columns))

    def press(self, key: bytes) -> None:
        os.write(self.master, key)

    def hang_up(self) -> None:
        """The window is closed."""
        os.close(self.master)
        self.master = -1

    def frames(self) -> list[str]:
        """What was drawn so far, one text a picture, without what drives the terminal."""
        pictures = self.written.split("\x1b[?2026h")[1:]
        return [re.sub(r"\x1b\[[?0-9;]*[a-zA-Z]", "", p.partition("\x1b[?2026l")[0]) for p in pictures]

    def until(self, pattern: str) -> str:
        """The first whole picture from now on in which this is found."""
        after = len(self.frames())
        deadline = time.monotonic() + LIMIT_S
        while time.monotonic() < deadline:
            for frame in self._whole()[after:]:
                # Lines are broken where the window ends.
                if re.search(pattern, " ".join(frame.split())):
                    return frame
            self.read(0.2)
        raise AssertionError(f"{pattern!r} did not come:\n{self.written[-3000:]}")

    def _whole(self) -> list[str]:
        frames = self.frames()
        return frames if self.written.count("\x1b[?2026l") >= len(frames) else frames[:-1]

    def read(self, seconds: float) -> None:
        ready, _, _ = select.select([self.master], [], [], seconds)
        if ready:
            try:
                self.written += os.read(self.master, 65536).decode(errors="replace")
            except OSError:  # the other side is closed
                time.sleep(seconds)

    def ended(self) -> int:
        """The exit code, once it has ended; what it wrote up to then is read."""
        deadline = time.monotonic() + LIMIT_S
        while self.process.poll() is None:
            assert time.monotonic() < deadline, self.written[-3000:]
            if self.master >= 0:
                self.read(0.1)
            else:
                time.sleep(0.05)
        if self.master >= 0:
            self.read(0.1)
        return self.process.returncode


def _take_terminal(slave: int) -> None:
    os.setsid()
    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
