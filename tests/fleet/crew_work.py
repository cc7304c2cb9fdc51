"""Work for the tests of the crew, which a new process can import."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from orchestra.cli.crew import Gate


class Chores:
    """Does what its job says: `add 2 3`, `die`, `wait FILE` (it makes the file, and waits to be interrupted)."""

    def __call__(self, job: str, gate: Gate) -> str:
        verb, *words = job.split()
        if verb == "add":
            return str(sum(map(int, words)))
        if verb == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        try:
            with gate.interruptible():
                Path(words[0]).touch()
                time.sleep(60)
                return "nobody came"
        except KeyboardInterrupt:
            return "interrupted"


def lost(job: str, code: int | None) -> str:
    return f"lost with {code}"
