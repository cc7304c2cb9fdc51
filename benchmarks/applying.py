"""`orchestra apply` of many queues, against psql running the bare `pgmq.create` statements one by one."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks import servers, specs
from benchmarks.measure import ORCHESTRA, Sample, best, run
from benchmarks.result import Figure, Unmeasured
from benchmarks.servers import Engine
from orchestra.dev.binaries import tool

LARGE, SMALL = 5_000, 500
PSQL_BUDGET = 1.15
GROWTH_BUDGET = 11.0


def measure(*, quick: bool) -> Iterator[Figure]:
    large, small = (500, 50) if quick else (LARGE, SMALL)
    with tempfile.TemporaryDirectory() as folder, servers.new_servers() as new:
        yield from _measure(new, Path(folder), large, small, repetitions=2)


def _measure(
    new: Callable[[], Engine], folder: Path, large: int, small: int, repetitions: int
) -> Iterator[Figure]:
    """Back to back, each on a server of its own; psql and apply in turn."""
    applied: list[Sample] = []
    bare: list[Sample] = []
    fewer: list[Sample] = []
    whole: list[Sample] = []
    for _ in range(repetitions):
        whole.append(compiled(new(), folder, large))
        bare.append(psql(new(), folder, large))
        fewer.append(apply(new(), folder, small))
        applied.append(apply(new(), folder, large))
    took, alone, few = best(applied), best(bare), best(fewer)
    name = f"apply of {large:,} queues"
    basis = f"{took:.1f} s; psql {alone:.1f} s for pgmq.create alone"
    yield Figure(name, took / alone, "x", PSQL_BUDGET, basis)
    all_of_it = f"{best(whole):.1f} s for psql running all that compile writes"
    yield Figure(name, took / best(whole), "x", None, all_of_it)
    growth = f"apply, {small:,} to {large:,}"
    yield Figure(growth, took / few, "x", GROWTH_BUDGET, f"{few:.1f} s to {took:.1f} s")
    yield Figure(name, max(s.peak_mb for s in applied), "MB", None, "peak resident memory of the client")


def apply(engine: Engine, folder: Path, queues: int) -> Sample:
    spec = specs.queues(queues).save(folder)
    sample = run([*ORCHESTRA, "apply", str(spec), "--db", engine.dsn, "--auto-approve"])
    (made,) = engine.execute("select count(*) from pgmq.meta")
    if made[0] != queues:
        raise Unmeasured(f"apply made {made[0]} queues and not {queues}: {sample.stdout[-400:]}")
    return sample


def psql(engine: Engine, folder: Path, queues: int) -> Sample:
    """The same queues by statements of their own, each its own transaction, as a script would."""
    script = folder / "create.sql"
    script.write_text(
        "".join(f"select pgmq.create('task_{n:05}');\n" for n in range(queues)), encoding="utf-8"
    )
    return _run_script(engine, script)


def compiled(engine: Engine, folder: Path, queues: int) -> Sample:
    """All that apply brings about, ownership and jobs included, from the compiled text and without a proof."""
    run([*ORCHESTRA, "compile", str(specs.queues(queues).save(folder)), "--out", str(folder)])
    return _run_script(engine, folder / "orchestra.sql")


def _run_script(engine: Engine, script: Path) -> Sample:
    quiet = ("--no-psqlrc", "--quiet", "-v", "ON_ERROR_STOP=1", "-o", "/dev/null")
    return run([tool("psql"), *quiet, "-f", str(script), engine.dsn])
