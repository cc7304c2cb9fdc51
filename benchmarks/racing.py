"""Consumers that start together: each in a process of its own, timed on the clock that they share."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from benchmarks.measure import ROOT
from benchmarks.result import Unmeasured

PATIENCE_S = 300


@dataclass(frozen=True, slots=True)
class Lap:
    """How many were done in how long, from the start of all to the end of the last."""

    done: int
    took_s: float

    @property
    def rate(self) -> float:
        return self.done / self.took_s


def race(
    command: Sequence[str], consumers: int = 1, *, before: Callable[[], None] | None = None, cwd: Path = ROOT
) -> Lap:
    """Start them, wait until each says `ready`, let them go, and read what each has done.

    `before` is called when they are ready, and does not count.
    """
    with tempfile.TemporaryFile("w+") as errors:
        running = [_start(command, cwd, errors) for _ in range(consumers)]
        try:
            return _race(running, before)
        except (OSError, ValueError, LookupError, subprocess.TimeoutExpired) as error:
            errors.seek(0)
            raise Unmeasured(f"{' '.join(command)[:120]}: {error}; {errors.read()[-600:].strip()}") from error
        finally:
            for process in running:
                process.kill()
                process.communicate()


def _start(command: Sequence[str], cwd: Path, errors: IO[str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=errors,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        cwd=cwd,
    )


def _race(running: Sequence[subprocess.Popen[str]], before: Callable[[], None] | None) -> Lap:
    for process in running:
        assert process.stdout is not None
        if process.stdout.readline().strip() != "ready":
            raise ValueError("it did not come to its start")
    if before is not None:
        before()
    began = time.monotonic()
    for process in running:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    said = [json.loads(process.communicate(timeout=PATIENCE_S)[0].splitlines()[0]) for process in running]
    return Lap(sum(int(s["done"]) for s in said), max(float(s["ended"]) for s in said) - began)
