"""One `orchestra apply` over a fleet of databases, against single applies of as many, one after the other.

pg_cron works in one database of a server, so this one runs on the embedded PostgreSQL, whose stand-in lets every
database say that it is that one. Each database is a copy of one that has the runtime already.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg

from benchmarks.measure import ORCHESTRA, ROOT, Sample, run
from benchmarks.result import Figure, Unmeasured
from benchmarks.servers import Engine

sys.path.insert(0, str(ROOT / "tests" / "fleet"))

from engines import Pool
from fleet_world import SPEC, TEMPLATE, copy, prepare

LARGE, SMALL = 200, 20
PARALLEL = 8
SINGLE_BUDGET = 0.6
GROWTH_BUDGET = 10.0
SETTINGS = {"wal_level": "minimal", "max_wal_senders": "0"}


def measure(*, quick: bool) -> Iterator[Figure]:
    large, small = (40, 4) if quick else (LARGE, SMALL)
    pool = Pool()
    try:
        engine = pool.engine("embedded", SETTINGS)
        prepare(engine)
        with tempfile.TemporaryDirectory() as folder:
            yield from _measure(engine, Path(folder), large, small)
    finally:
        pool.stop()


def _measure(engine: Engine, folder: Path, large: int, small: int) -> Iterator[Figure]:
    """The small fleet and its databases one by one in turn, twice; then the large one."""
    (folder / "orchestra.yaml").write_text(SPEC, encoding="utf-8")
    few: list[Sample] = []
    alone: list[float] = []
    for round_ in range(2):
        few.append(_fleet(engine, folder, _copies(engine, f"few{round_}", small)))
        alone.append(sum(_single(engine, folder, _copies(engine, f"one{round_}", small))))
    many = _fleet(engine, folder, _copies(engine, "many", large))
    took, sum_of_single = min(s.wall_s for s in few), min(alone)
    name = f"apply to a fleet of {small}"
    basis = f"{took:.1f} s, {PARALLEL} at a time; {sum_of_single:.1f} s one by one"
    yield Figure(name, took / sum_of_single, "x", SINGLE_BUDGET, basis)
    growth = f"the same, {small} to {large}"
    yield Figure(growth, many.wall_s / took, "x", GROWTH_BUDGET, f"{took:.1f} s to {many.wall_s:.1f} s")
    yield Figure(growth, many.peak_mb, "MB", None, "peak resident memory of the largest process")


def _copies(engine: Engine, prefix: str, number: int) -> dict[str, str]:
    """URLs by name, of databases that nobody has applied to."""
    names = [f"{prefix}_{n:03}" for n in range(number)]
    with psycopg.connect(engine.dsn, autocommit=True) as connection:
        for name in names:
            copy(connection, TEMPLATE, name)
        connection.execute("checkpoint")
    return {name: engine.url(database=name) for name in names}


def _fleet(engine: Engine, folder: Path, urls: dict[str, str]) -> Sample:
    sample = _apply(folder, urls, "tenant-*", "--parallel", str(PARALLEL))
    _look(engine, urls)
    return sample


def _single(engine: Engine, folder: Path, urls: dict[str, str]) -> Iterator[float]:
    for name in urls:
        yield _apply(folder, urls, f"tenant-{name}").wall_s
    _look(engine, urls)


def _apply(folder: Path, urls: dict[str, str], environment: str, *more: str) -> Sample:
    lines = "\n".join(f"{name}={url}" for name, url in urls.items())
    command = [*ORCHESTRA, "apply", "--env", environment, "--auto-approve", *more]
    return run(command, cwd=folder, env={"TENANT_DATABASE_URLS": lines})


def _look(engine: Engine, urls: dict[str, str]) -> None:
    for name, url in urls.items():
        with psycopg.connect(url) as connection:
            row = connection.execute(
                "select count(*) from orchestra.deployment where project = 'shop'"
            ).fetchone()
        if row != (1,):
            raise Unmeasured(f"{name} was not applied")
