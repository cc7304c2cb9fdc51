"""The real command line, as a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from acceptance.cases import ROOT


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    err: str

    @property
    def text(self) -> str:
        """All that a person would see, in one line: texts are wrapped for a terminal."""
        return " ".join((self.out + " " + self.err).split())


def orchestra(*arguments: str | Path, cwd: Path = ROOT, db: str | None = None) -> Ended:
    """`orchestra ARGUMENTS` with an empty environment but for the database."""
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "NO_COLOR": "1", "HOME": str(cwd)}
    if db is not None:
        environment["ORCHESTRA_DATABASE_URL"] = db
    done = subprocess.run(
        [sys.executable, "-m", "orchestra", *map(str, arguments)],
        cwd=cwd,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    return Ended(done.returncode, done.stdout, done.stderr)
