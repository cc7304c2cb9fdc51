"""One table of all figures, and an exit code: 1 where a budget is exceeded or something is not measured."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import time
from collections.abc import Iterator, Sequence

from benchmarks.result import Figure, Unmeasured

BENCHMARKS = {
    "startup": "startup",
    "compile": "compiling",
    "plan": "planning",
    "apply": "applying",
    "fleet": "fleets",
    "drain": "draining",
    "tick": "ticking",
    "status": "looking",
    "map": "mapping",
    "loop": "looping",
}
"""What `--only` takes, and the module that measures it."""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", action="append", choices=BENCHMARKS, help="measure only this (repeatable)")
    parser.add_argument("--quick", action="store_true", help="fewer repetitions, and a tenth of the queues")
    chosen = parser.parse_args(arguments)
    print(
        f"{os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}{', quick' if chosen.quick else ''}", flush=True
    )
    failed = 0
    for name in chosen.only or BENCHMARKS:
        started = time.monotonic()
        try:
            for figure in _measure(name, quick=chosen.quick):
                failed += not figure.ok
                print(_line(figure), flush=True)
        except Unmeasured as error:
            failed += 1
            print(f"  NOT MEASURED  {name}: {error}", flush=True)
        print(f"  ({name}: {time.monotonic() - started:.0f} s)", file=sys.stderr, flush=True)
    print("All budgets hold." if not failed else f"{failed} of them do not hold.")
    return 1 if failed else 0


def _measure(name: str, *, quick: bool) -> Iterator[Figure]:
    found: Iterator[Figure] = importlib.import_module(f"benchmarks.{BENCHMARKS[name]}").measure(quick=quick)
    return found


def _line(figure: Figure) -> str:
    verdict = "" if figure.budget is None else "ok" if figure.ok else "OVER"
    budget = "" if figure.budget is None else f"of {_number(figure.budget)}"
    value = f"{_number(figure.value)} {figure.unit}"
    return f"  {verdict:4}  {figure.name:34} {value:>16} {budget:>10}   {figure.basis}".rstrip()


def _number(x: float) -> str:
    return f"{x:,.0f}" if x >= 100 or x == int(x) else f"{x:.2f}"
