"""Running things in turn, in processes of their own, and what they took."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.result import Unmeasured

ROOT = Path(__file__).resolve().parent.parent
ORCHESTRA = (sys.executable, "-c", "from orchestra.cli import main; main()")
"""What the console script does, from this tree and with this interpreter."""
IMPORT_CLICK = (sys.executable, "-c", "import click")


@dataclass(frozen=True, slots=True)
class Sample:
    """One run: seconds by the clock, seconds of CPU, and the most memory it held, in MB."""

    wall_s: float
    cpu_s: float
    peak_mb: float
    stdout: str = ""


def run(
    command: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> Sample:
    """Run to the end; Unmeasured, with the end of what it said, where it fails."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "", **(env or {})}
    with tempfile.TemporaryFile() as out:
        started = time.perf_counter()
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, env=environment, cwd=cwd
        )
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        text = out.read().decode("utf-8", "replace")
    if process.returncode != 0:
        raise Unmeasured(f"{' '.join(command)[:120]} ended with {process.returncode}: {text[-600:].strip()}")
    return Sample(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, text)


def in_turn(runs: Mapping[str, Callable[[], Sample]], repetitions: int) -> dict[str, list[Sample]]:
    """Each of `runs` once, then each again: what disturbs the machine disturbs all of them."""
    found: dict[str, list[Sample]] = {name: [] for name in runs}
    for _ in range(repetitions):
        for name, once in runs.items():
            found[name].append(once())
    return found


def best(samples: Sequence[Sample]) -> float:
    """The least disturbed run, in seconds."""
    return min(s.wall_s for s in samples)
