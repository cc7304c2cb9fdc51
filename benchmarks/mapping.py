"""A mapped step over many elements, against the same work in small runs: what a task costs must not grow with them."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Iterator

import psycopg

from benchmarks import databases, servers
from benchmarks.prepared import Claim, Database, Worker
from benchmarks.result import Figure, Unmeasured
from benchmarks.servers import Engine

MANY, FEW = 4_000, 100
ELEMENT = json.dumps({"id": 0, "body": "x" * 1_000})
ROUNDS = 5
BATCH = 100
WORKLOAD = "report"

BUDGET = 1.3

_STEPS = [
    {"name": "collect", "depends_on": []},
    {"name": "render", "depends_on": ["collect"], "map": "collect"},
    {"name": "publish", "depends_on": ["render"]},
]


def measure(*, quick: bool) -> Iterator[Figure]:
    many, rounds = (MANY // 4, 2) if quick else (MANY, ROUNDS)
    of_many: list[float] = []
    of_few: list[float] = []
    with servers.new_servers() as new:
        engine = new()
        databases.new_runtime(engine, "of_runs", [])
        with psycopg.connect(engine.url(database="of_runs"), autocommit=True) as connection:
            databases.add_edge_queue(
                connection, WORKLOAD, steps=json.dumps([{**s, "timeout_ms": 5000} for s in _STEPS])
            )
        for number in range(rounds):
            large, small = _round(engine, many, large_first=number % 2 == 0)
            of_many.append(large)
            of_few.append(small)
    large, small = statistics.median(of_many), statistics.median(of_few)
    basis = f"{large * 1e6:,.0f} us a task ({1 / large:,.0f} /s); {small * 1e6:,.0f} us with {FEW}"
    yield Figure(f"map over {many:,} elements of 1 KB", large / small, "x", BUDGET, basis)


def _round(engine: Engine, many: int, *, large_first: bool) -> tuple[float, float]:
    """Seconds a task takes in one run of many elements, and in as many runs of few as make the same number."""
    with databases.copy_of(engine, "of_runs", "runs") as dsn:
        engine.execute("checkpoint")
        db = Database(dsn)
        db.prepare("send", "select orchestra.send($1, '{}')")
        worker = Worker(db, WORKLOAD)
        worker.enter()
        _run(db, worker, FEW)  # what the session compiles and plans once is not a task's
        large = _run(db, worker, many) / many if large_first else 0.0
        small = sum(_run(db, worker, FEW) for _ in range(many // FEW)) / many
        if not large_first:
            large = _run(db, worker, many) / many
        worker.leave()
        db.close()
    return large, small


def _run(db: Database, worker: Worker, elements: int) -> float:
    """Seconds from the answer that the step is mapped over to the hand-out of the step that joins its tasks."""
    db.call("send", WORKLOAD)
    held = worker.turn(Claim(), 1)
    answer = f'{{"{held.ids[0]}": [{",".join([ELEMENT] * elements)}]}}'
    done = 0
    began = time.perf_counter()
    held = worker.turn(held, BATCH, answer)
    while done < elements:
        done += len(held.ids)
        results = ",".join(f'"{i}": {body}' for i, body in zip(held.ids, held.bodies, strict=True))
        held = worker.turn(held, BATCH, f"{{{results}}}")
    took = time.perf_counter() - began
    if done != elements or len(held.ids) != 1 or len(held.bodies[0]) < elements * len(ELEMENT):
        raise Unmeasured(f"{done} of {elements} tasks were done, and then came {held.bodies[0][:200]}")
    worker.turn(held, 0, f'{{"{held.ids[0]}": null}}')
    return took
