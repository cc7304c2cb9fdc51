"""The tick over many idle queues, as pg_cron runs it: on a connection that knows nothing yet."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator

import psycopg

from benchmarks import databases, servers
from benchmarks.prepared import PROJECT
from benchmarks.result import Figure

QUEUES = 100
DELAYED, CHUNK = 500_000, 10_000
REPETITIONS = 40

EACH_BUDGET_MS = 0.3
CHANGE_BUDGET = 1.2
GUARD_BUDGET_MS = 10.0
"""Of a call that comes at every hour and fires once a day."""

_TICK = f"call orchestra.tick('{PROJECT}', {databases.POLL_MS})"
_GUARD = """
    select count(*) from orchestra.due('30 3 * * *', null, 'Europe/Berlin', now() - interval '10 minutes', now(), -1)
"""
_SEND = """
    select cardinality(orchestra.send_many('queue_050',
      array(select jsonb_build_object('id', i) from generate_series(1, %s) i), interval '1 day'))
"""


def measure(*, quick: bool) -> Iterator[Figure]:
    delayed, repetitions = (DELAYED // 10, 20) if quick else (DELAYED, REPETITIONS)
    with servers.new_servers() as new:
        engine = new()
        databases.new_runtime(engine, "empty", [f"queue_{n:03}" for n in range(QUEUES)])
        engine.execute("create database delayed template empty")
        dsns = {name: engine.url(database=name) for name in ("empty", "delayed")}
        _send_delayed(dsns["delayed"], delayed)
        servers.settle(engine)
        took: dict[str, list[float]] = {name: [] for name in dsns}
        warm: list[float] = []
        for _ in range(repetitions):
            for name, dsn in dsns.items():
                first, second = _ticks(dsn)
                took[name].append(first)
                warm.append(second)
        guards = [_guard(dsns["empty"]) for _ in range(repetitions)]
    yield from _figures(took, warm, delayed)
    yield Figure(
        "guard of a zone's schedule",
        statistics.median(guards),
        "ms",
        GUARD_BUDGET_MS,
        "on a fresh connection",
    )


def _figures(took: dict[str, list[float]], warm: list[float], delayed: int) -> Iterator[Figure]:
    idle, busy = (statistics.median(took[name]) for name in ("empty", "delayed"))
    name = f"tick over {QUEUES} idle queues"
    spread = f"{min(took['empty']):.1f} to {max(took['empty']):.1f} ms"
    yield Figure(name, idle / QUEUES, "ms", EACH_BUDGET_MS, f"each; {idle:.1f} ms in all ({spread})")
    yield Figure(
        f"the same, {delayed:,} delayed",
        busy / idle,
        "x",
        CHANGE_BUDGET,
        f"{busy:.1f} ms; {idle:.1f} ms without",
    )
    again = statistics.median(warm)
    yield Figure(
        name, again / QUEUES, "ms", None, f"each, on a connection that has done it before; {again:.1f} ms"
    )


def _send_delayed(dsn: str, number: int) -> None:
    with psycopg.connect(dsn, autocommit=True) as connection:
        for _ in range(number // CHUNK):
            connection.execute(_SEND, [CHUNK])
        connection.execute("vacuum (analyze) pgmq.q_queue_050")  # or autovacuum does it while it is measured


def _ticks(dsn: str) -> tuple[float, float]:
    """Milliseconds of the first tick of a connection, and of a second one."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        marks = [time.perf_counter()]
        for _ in range(2):
            connection.execute(_TICK)
            marks.append(time.perf_counter())
    return (marks[1] - marks[0]) * 1000, (marks[2] - marks[1]) * 1000


def _guard(dsn: str) -> float:
    """Milliseconds until a job knows that nothing is due."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        began = time.perf_counter()
        connection.execute(_GUARD)
        return (time.perf_counter() - began) * 1000
