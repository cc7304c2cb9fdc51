"""What a command costs before it does anything, and the check of a spec as a team has it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks import specs
from benchmarks.measure import IMPORT_CLICK, ORCHESTRA, best, in_turn, run
from benchmarks.result import Figure

VERSION_BUDGET = 1.5
CHECK_BUDGET_MS = 300.0


def measure(*, quick: bool) -> Iterator[Figure]:
    repetitions = 5 if quick else 20
    with tempfile.TemporaryDirectory() as folder:
        spec = specs.mixed(20).save(Path(folder))
        for _ in range(2):  # the first of each compiles bytecode and warms the file cache
            run([*ORCHESTRA, "check", str(spec)])
            run([*ORCHESTRA, "--version"])
        runs = in_turn(
            {
                "click": lambda: run(IMPORT_CLICK),
                "version": lambda: run([*ORCHESTRA, "--version"]),
                "check": lambda: run([*ORCHESTRA, "check", str(spec)]),
            },
            repetitions,
        )
    click, version, check = (best(runs[name]) for name in ("click", "version", "check"))
    basis = f"{click * 1000:.0f} ms for `import click`"
    yield Figure(
        "orchestra --version", version / click, "x", VERSION_BUDGET, f"{version * 1000:.0f} ms; {basis}"
    )
    yield Figure("check of 20 workloads", check * 1000, "ms", CHECK_BUDGET_MS, "the least of all repetitions")
    yield Figure("check of 20 workloads", check / click, "x", None, basis)
