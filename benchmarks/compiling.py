"""`orchestra compile` of a large spec, against libyaml alone on the same text; with its functions, against itself."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path

from benchmarks import specs
from benchmarks.measure import ORCHESTRA, Sample, best, in_turn, run
from benchmarks.result import Figure

LARGE, SMALL = 10_000, 1_000
LIBYAML_BUDGET = 5.0
GROWTH_BUDGET = 11.0
MEMORY_BUDGET_MB = 1_024.0

_EVENTS = """
import sys, time, yaml
text = open(sys.argv[1], encoding="utf-8").read()
started, cpu = time.perf_counter(), time.process_time()
for _ in yaml.parse(text, Loader=yaml.CLoader):
    pass
print(time.perf_counter() - started, time.process_time() - cpu)
"""
"""Prints the seconds that the events take, so that the start of Python is not in the basis."""


def measure(*, quick: bool) -> Iterator[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        yield from _measure(Path(folder), repetitions=2 if quick else 7)


def _measure(folder: Path, repetitions: int) -> Iterator[Figure]:
    files = {n: _save(folder / str(n), n) for n in (LARGE, SMALL)}

    fresh = count()

    def compiled(n: int) -> Sample:
        return run([*ORCHESTRA, "compile", str(files[n])])

    def written(n: int) -> Sample:
        return run([*ORCHESTRA, "compile", str(files[n]), "--out", str(folder / f"out{next(fresh)}")])

    def events() -> Sample:
        return run([sys.executable, "-c", _EVENTS, str(files[LARGE])])

    compiled(SMALL)
    turns = {"large": lambda: compiled(LARGE), "events": events, "small": lambda: compiled(SMALL)}
    runs = in_turn(turns, repetitions)
    large, small = best(runs["large"]), best(runs["small"])
    wall, cpu = (min(float(s.stdout.split()[i]) for s in runs["events"]) for i in (0, 1))
    size = files[LARGE].stat().st_size / 1e6
    name = f"compile of {LARGE:,} workloads"
    basis = f"{large:.2f} s; libyaml {wall:.2f} s for {size:.1f} MB"
    yield Figure(name, large / wall, "x", LIBYAML_BUDGET, basis)
    yield Figure(name, min(s.cpu_s for s in runs["large"]) / cpu, "x CPU", None, "the same in seconds of CPU")
    growth = f"compile, {SMALL:,} to {LARGE:,}"
    yield Figure(growth, large / small, "x", GROWTH_BUDGET, f"{small:.2f} s to {large:.2f} s")
    turns = {"large": lambda: written(LARGE), "small": lambda: written(SMALL)}
    whole = in_turn(turns, 2)
    all_large, all_small = best(whole["large"]), best(whole["small"])
    growth = f"compile --out, {SMALL:,} to {LARGE:,}"
    basis = f"{all_small:.2f} s to {all_large:.2f} s, most of it for the files of their functions"
    yield Figure(growth, all_large / all_small, "x", GROWTH_BUDGET, basis)
    peak = max(s.peak_mb for s in runs["large"] + whole["large"])
    yield Figure(name, peak, "MB", MEMORY_BUDGET_MB, "peak resident memory")


def _save(folder: Path, workloads: int) -> Path:
    folder.mkdir()
    return specs.mixed(workloads).save(folder)
