"""`orchestra status`: a look at queues of a thousand messages and of a million, and at ten workloads and a hundred."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator

import psycopg

from benchmarks import databases, servers
from benchmarks.prepared import PROJECT
from benchmarks.result import Figure
from orchestra.live import server
from orchestra.live.connect import connect
from orchestra.status import read

QUEUES, MANY = 10, 100
SHORT, COUNTED, LONG = 1_000, 10_000, 1_000_000
REPETITIONS = 30

CHANGE_BUDGET = 1.5
"""Of queues of a million against queues of as many as are counted: of short ones fewer are counted."""
GROWTH_BUDGET = 11.0
LOOK_BUDGET_MS = 250.0

_FILL = "insert into pgmq.%s (vt, message) select now(), '{}' from generate_series(1, %d)"


def measure(*, quick: bool) -> Iterator[Figure]:
    long, repetitions = (LONG // 10, 10) if quick else (LONG, REPETITIONS)
    queues = [f"queue_{n:03}" for n in range(QUEUES)]
    sizes = {"short": SHORT, "counted": COUNTED, "long": long}
    with servers.new_servers() as new:
        engine = new()
        databases.new_runtime(engine, "empty", queues)
        databases.new_runtime(engine, "many", [f"queue_{n:03}" for n in range(MANY)])
        dsns = {"empty": engine.url(database="empty"), "many": engine.url(database="many")}
        for name, size in sizes.items():
            engine.execute(f"create database {name} template empty")
            dsns[name] = engine.url(database=name)
            _fill(dsns[name], queues, size)
        for dsn in dsns.values():
            with psycopg.connect(dsn, autocommit=True) as connection:
                connection.execute(f"insert into orchestra.version values (true, {_version()}, '0.1.0')")
        servers.settle(engine)
        took: dict[str, list[float]] = {name: [] for name in dsns}
        trips: dict[str, int] = {}
        for _ in range(repetitions):
            for name, dsn in dsns.items():
                spent, trips[name] = _look(dsn)
                took[name].append(spent)
    yield from _figures({name: statistics.median(found) for name, found in took.items()}, trips, long)


def _figures(ms: dict[str, float], trips: dict[str, int], long: int) -> Iterator[Figure]:
    name = f"status of {QUEUES} queues of {long:,}"
    yield Figure(
        name,
        ms["long"] / ms["counted"],
        "x",
        CHANGE_BUDGET,
        f"{ms['long']:.1f} ms; {ms['counted']:.1f} ms for queues of {COUNTED:,}",
    )
    yield Figure(
        name,
        ms["long"] / ms["short"],
        "x",
        None,
        f"{ms['short']:.1f} ms for queues of {SHORT:,}; {ms['empty']:.1f} ms for empty ones",
    )
    yield Figure(name, ms["long"], "ms", LOOK_BUDGET_MS, "with a connection of its own")
    yield Figure(
        f"status, {QUEUES} to {MANY} workloads",
        ms["many"] / ms["empty"],
        "x",
        GROWTH_BUDGET,
        f"{ms['many']:.1f} ms; {ms['empty']:.1f} ms",
    )
    yield Figure(
        "status, round trips", trips["many"], "", float(trips["empty"]), f"{trips['empty']} for {QUEUES}"
    )


def _version() -> int:
    from orchestra import runtime

    return runtime.VERSION


def _fill(dsn: str, queues: list[str], size: int) -> None:
    with psycopg.connect(dsn, autocommit=True) as connection:
        for queue in queues:
            connection.execute((_FILL % (f"q_{queue}", size)).encode())
            connection.execute(f"vacuum (analyze) pgmq.q_{queue}".encode())


def _look(dsn: str) -> tuple[float, int]:
    """Milliseconds from connecting to what is known, and the round trips."""
    began = time.perf_counter()
    database = connect(dsn)
    try:
        read(database, server.probe(database), PROJECT)
        return (time.perf_counter() - began) * 1000, database.round_trips
    finally:
        database.close()
