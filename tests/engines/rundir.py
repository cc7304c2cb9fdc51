"""Directories for throw-away clusters, and the removal of what a crashed session left behind.

Each directory holds a lock file that its owner keeps locked while it lives. Whoever can take the lock knows
that the owner is dead, whatever process ids have been reused since.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import pwd
import shutil
import signal
import tempfile
import time
from pathlib import Path


class RunDir:
    """A fresh directory that belongs to this process."""

    def __init__(self, engine: str, parent: Path | None = None) -> None:
        base = parent or Path(tempfile.gettempdir()) / f"orchestra-tests-{os.getuid()}"
        base.mkdir(parents=True, exist_ok=True)
        _sweep(base)
        self.path = Path(tempfile.mkdtemp(prefix=f"{engine}-", dir=base))
        self.path.chmod(0o755)
        # Locked under another name first: a sweep must never find the lock of a live owner free.
        fresh = self.path / "owner.lock.new"
        self._lock = fresh.open("w")
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        fresh.rename(self.path / "owner.lock")

    def give_to_postgres(self, directory: Path, root: Path | None) -> None:
        """Let the user `postgres` of the tree `root` own `directory`; nothing to do when we are no root."""
        if os.geteuid() != 0:
            directory.chmod(0o700)
            return
        if root is None:
            entry = pwd.getpwnam("postgres")
            uid, gid = entry.pw_uid, entry.pw_gid
        else:
            lines = (root / "etc" / "passwd").read_text().splitlines()
            fields = next(line.split(":") for line in lines if line.startswith("postgres:"))
            uid, gid = int(fields[2]), int(fields[3])
        os.chown(directory, uid, gid)
        directory.chmod(0o700)

    def remove(self) -> None:
        shutil.rmtree(self.path, ignore_errors=True)
        self._lock.close()


def _sweep(base: Path) -> None:
    """End and remove the clusters of sessions that are dead."""
    for left in base.iterdir():
        lock = left / "owner.lock"
        if not lock.exists():
            if left.is_dir() and time.time() - left.stat().st_mtime > 60:
                shutil.rmtree(left, ignore_errors=True)
            continue
        with contextlib.suppress(OSError), lock.open("r+") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)  # OSError: its owner lives
            for pid_file in left.glob("*/postmaster.pid"):
                _end(pid_file)
            shutil.rmtree(left, ignore_errors=True)


def _end(pid_file: Path) -> None:
    """Stop the server of a pid file, after making sure that the process is that very server."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        lines = pid_file.read_text().splitlines()
        pid, data = int(lines[0]), lines[1]
        if data.encode() not in Path(f"/proc/{pid}/cmdline").read_bytes():
            return
        os.kill(pid, signal.SIGQUIT)
        for _ in range(100):
            os.kill(pid, 0)  # OSError: it is gone
            time.sleep(0.05)
