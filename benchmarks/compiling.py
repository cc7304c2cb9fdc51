"""`orchestra compile` of a large spec, against libyaml alone on the same text."""

from __future__ import annotations

import statistics
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks import specs
from benchmarks.measure import ORCHESTRA, Sample, best, in_turn, ratio, run
from benchmarks.result import Figure

LARGE, SMALL = 10_000, 1_000
LIBYAML_BUDGET = 5.0
GROWTH_BUDGET = 11.0
MEMORY_BUDGET_MB = 1_024.0

_EVENTS = """
import sys, time, yaml
text = open(sys.argv[1], encoding="utf-8").read()
started = time.perf_counter()
for _ in yaml.parse(text, Loader=yaml.CLoader):
    pass
print(time.perf_counter() - started)
"""
"""Prints the seconds that the events take, so that the start of Python is not in the basis."""


def measure(*, quick: bool) -> Iterator[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        yield from _measure(Path(folder), repetitions=2 if quick else 5)


def _measure(folder: Path, repetitions: int) -> Iterator[Figure]:
    files = {n: _save(folder / str(n), n) for n in (LARGE, SMALL)}

    def compiled(n: int) -> Sample:
        return run([*ORCHESTRA, "compile", str(files[n]), "--out", str(files[n].parent / "out")])

    def events() -> Sample:
        return run([sys.executable, "-c", _EVENTS, str(files[LARGE])])

    compiled(SMALL)
    turns = {"large": lambda: compiled(LARGE), "events": events, "small": lambda: compiled(SMALL)}
    runs = in_turn(turns, repetitions)
    pairs = zip(runs["large"], runs["events"], strict=True)
    times = statistics.median(large.wall_s / float(basis.stdout) for large, basis in pairs)
    took = best(runs["large"])
    least = min(float(s.stdout) for s in runs["events"])
    size = files[LARGE].stat().st_size / 1e6
    name = f"compile of {LARGE:,} workloads"
    yield Figure(name, times, "x", LIBYAML_BUDGET, f"{took:.2f} s; libyaml {least:.2f} s for {size:.1f} MB")
    growth = ratio(runs["large"], runs["small"])
    small = best(runs["small"])
    yield Figure(
        f"compile, {SMALL:,} to {LARGE:,}", growth, "x", GROWTH_BUDGET, f"{small:.2f} s to {took:.2f} s"
    )
    yield Figure(name, max(s.peak_mb for s in runs["large"]), "MB", MEMORY_BUDGET_MB, "peak resident memory")


def _save(folder: Path, workloads: int) -> Path:
    folder.mkdir()
    return specs.mixed(workloads).save(folder)
