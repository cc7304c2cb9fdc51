"""The numbers of status are what counting gives, in one snapshot, while senders send and workers work."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from engines import Engine, Pool
from looking import look, opened, workload
from runtime.runtime_db import PROJECT, RuntimeDb, Worker, install

from orchestra.live import server
from orchestra.live.connect import Database
from orchestra.status.model import COUNTED, Snapshot
from orchestra.status.read import read, within

LOOKS = 25
_COUNTS = """
    select
      (select count(*) from pgmq.q_{queue}) as depth,
      (select count(*) from pgmq.q_{queue} where vt <= now()) as waiting,
      (select extract(epoch from now() - min(vt)) from pgmq.q_{queue} where vt <= now()) as oldest,
      (select count(*) from orchestra.slot where workload = '{queue}' and token is not null and lease_until > now())
        as workers,
      (select coalesce(sum(cardinality(held)), 0) from orchestra.slot
        where workload = '{queue}' and token is not null and lease_until > now()) as in_flight,
      (select count(*) from orchestra.delivery where workload = '{queue}' and last_error is not null) as retrying,
      (select count(*) from orchestra.dead_letter where workload = '{queue}' and redriven_at is null) as dead,
      (select count(*) from orchestra.run where workload = '{queue}' and status in ('waiting', 'running')) as runs
"""


@pytest.fixture
def db(engine_pool: Pool) -> Iterator[RuntimeDb]:
    """The runtime on the embedded engine, as the role of a hosted project."""
    engine: Engine = engine_pool.engine("embedded")
    engine.reset()
    runtime = RuntimeDb(engine, engine.hosted().dsn)
    install(runtime.main)
    runtime.run("insert into orchestra.version (version, oldest_tool) values (4, '0.1.0')")
    runtime.run(
        "insert into orchestra.project (project, owner_role, gate) values (%s, current_user, 'open')", PROJECT
    )
    yield runtime
    runtime.close()
    engine.quiesce()


@contextmanager
def at_work(
    db: RuntimeDb, *targets: Callable[[psycopg.Connection[Any], threading.Event], None]
) -> Iterator[None]:
    """Each over a connection of its own, until the end of this; none of them may meet an error."""
    stop = threading.Event()
    faults: list[BaseException] = []

    def work(target: Callable[[psycopg.Connection[Any], threading.Event], None]) -> None:
        try:
            with db.connect() as connection:
                target(connection, stop)
        except BaseException as fault:
            faults.append(fault)
            stop.set()

    threads = [threading.Thread(target=work, args=(t,), daemon=True) for t in targets]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join(30)
    assert faults == []


def sender(name: str, batch: int, most: int) -> Callable[[psycopg.Connection[Any], threading.Event], None]:
    """Sends some now and some for later, rolls every fourth transaction back, and stops for a while above `most`."""

    def run(connection: psycopg.Connection[Any], stop: threading.Event) -> None:
        for number in itertools.count():
            if stop.wait(0.005):
                return
            row = connection.execute(f"select count(*) from pgmq.q_{name}").fetchone()
            if row is not None and row[0] > most:
                continue
            with connection.transaction(force_rollback=number % 4 == 3):
                connection.execute(
                    "select orchestra.send_many(%s, array(select to_jsonb(i) from generate_series(1, %s) i), %s)",
                    [name, batch, "1 hour" if number % 5 == 4 else None],
                )

    return run


def edge_worker(db: RuntimeDb, name: str) -> Callable[[psycopg.Connection[Any], threading.Event], None]:
    """Acknowledges most of what it is handed, fails some of it, gives some up, and gives some back."""

    def run(connection: psycopg.Connection[Any], stop: threading.Event) -> None:
        with db.another() as own:
            worker = Worker(own, name)
            held: list[int] = []
            while not stop.wait(0.002):
                fails = [
                    {"id": str(i), "error": "no", "code": "ORC01" if i % 3 else None}
                    for i in held
                    if i % 7 == 0
                ]
                back = [i for i in held if i % 11 == 0 and i % 7]
                ack = [i for i in held if i % 7 and i % 11]
                held = worker.turn(10, ack=ack, fails=fails, back=back).ids

    return run


def sql_worker(name: str, number: int) -> Callable[[psycopg.Connection[Any], threading.Event], None]:
    def run(connection: psycopg.Connection[Any], stop: threading.Event) -> None:
        while not stop.wait(0.01):
            connection.execute("call orchestra.drain_sql(%s, %s, %s)", [PROJECT, name, number])

    return run


def both(database: Database, queues: list[str]) -> tuple[Snapshot, dict[str, dict[str, Any]]]:
    """What status says and what counting gives, in one snapshot."""
    facts = server.probe(database)
    with database.transaction("begin isolation level repeatable read read only"):
        counts = {queue: database.rows(_COUNTS.format(queue=queue))[0] for queue in queues}
        return within(database, facts, PROJECT), counts


def test_every_number_under_load(db: RuntimeDb) -> None:
    edge = db.edge(
        concurrency=40, per_worker=10, max_attempts=3, backoff_initial_ms=100, backoff_max_ms=1_000
    )
    sql = db.queue(
        "select 1 / (($1 #>> '{}')::int % 9)", concurrency=2, max_attempts=2, backoff_initial_ms=50
    )
    looks = 0
    with (
        opened(db.dsn) as database,
        at_work(
            db,
            *(sender(name, batch, 3_000) for name in (edge, sql) for batch in (7, 40)),
            *(edge_worker(db, edge) for _ in range(2)),
            *(sql_worker(sql, number) for number in (1, 2)),
        ),
    ):
        db.wait_for("select count(*) >= 2 from orchestra.dead_letter where workload = %s", edge, seconds=60)
        db.wait_for("select count(*) >= 2 from orchestra.dead_letter where workload = %s", sql, seconds=60)
        seen: set[tuple[Any, ...]] = set()
        while looks < LOOKS:
            found, counts = both(database, [edge, sql])
            for name, expected in counts.items():
                w = workload(found, name)
                assert (w.depth, w.depth_is_estimate, w.waiting) == (
                    expected["depth"],
                    False,
                    expected["waiting"],
                )
                assert (w.workers, w.in_flight) == (expected["workers"], expected["in_flight"])
                assert (w.retrying, w.dead_letters) == (expected["retrying"], expected["dead"])
                assert w.runs_going_on == expected["runs"]
                oldest = None if expected["oldest"] is None else float(expected["oldest"])
                assert w.oldest_waiting == (None if oldest is None else pytest.approx(oldest, abs=1e-3))
                seen.add((w.depth, w.waiting, w.in_flight))
            looks += 1
    assert len(seen) > LOOKS / 2, "it was not still"


def test_above_ten_thousand_what_is_counted_is_a_floor(db: RuntimeDb) -> None:
    name = db.edge(concurrency=40, batch_size=100, max_attempts=3)
    db.send_many(name, COUNTED + 5_000)
    with opened(db.dsn) as database, at_work(db, sender(name, 40, 100_000), edge_worker(db, name)):
        for _ in range(LOOKS):
            found, counts = both(database, [name])
            w = workload(found, name)
            assert counts[name]["depth"] > COUNTED
            assert w.depth_is_estimate
            assert w.depth is not None
            assert w.depth >= COUNTED
            assert w.waiting == min(counts[name]["waiting"], COUNTED)
            assert w.in_flight == counts[name]["in_flight"]


def housekept(db: RuntimeDb, ago: str) -> None:
    """The housekeeping notes what there is, so long ago."""
    db.housekeep()
    db.run("update orchestra.traffic set at = at - %s::interval", ago)


def test_traffic_of_a_queue_is_what_came_and_left_since_the_oldest_note(db: RuntimeDb) -> None:
    name = db.edge(batch_size=100, concurrency=100, per_worker=100, max_attempts=2)
    db.send_many(name, 30)
    assert workload(look(db.dsn), name).traffic is None
    # The server's counters hear of a session's work when it is idle for a moment.
    db.run("select pg_stat_force_next_flush()")
    housekept(db, "4 minutes")
    db.send_many(name, 100)
    worker = db.worker(name)
    held = worker.turn(100).ids
    worker.turn(0, ack=held[:55], fails=[{"id": str(held[55]), "error": "no", "code": "ORC01"}])
    db.run("select pg_stat_force_next_flush()")
    traffic = workload(look(db.dsn), name).traffic
    assert traffic is not None
    assert (traffic.came, traffic.ended, traffic.failed) == (100, 56, 1)
    assert 240 <= traffic.over < 300
    assert not traffic.own
    # A note of before the window is not used, and one after which the counters began anew is not either.
    db.run("update orchestra.traffic set at = at - interval '2 minutes'")
    assert workload(look(db.dsn), name).traffic is None
    housekept(db, "1 minute")
    assert workload(look(db.dsn), name).traffic is not None
    db.engine.execute("select pg_stat_reset_single_table_counters(%s::regclass)", [f"pgmq.q_{name}"])
    assert workload(look(db.dsn), name).traffic is None


def test_what_leaves_a_long_queue_is_told_while_its_worker_goes_on(db: RuntimeDb) -> None:
    """The server's counters would say nothing before the call ends."""
    name = db.queue("select 1")
    db.send_many(name, COUNTED + 4_000)
    db.run("select pg_stat_force_next_flush()")
    housekept(db, "1 minute")
    gone = f"select {COUNTED + 4_000} - count(*) from pgmq.q_{name}"
    with db.background(lambda: db.drain(name)):
        db.wait_for(f"select ({gone}) > 500", seconds=60)
        with opened(db.dsn) as database:
            facts = server.probe(database)
            with database.transaction("begin isolation level repeatable read read only"):
                [row] = database.rows(f"select ({gone}) as gone")
                found = workload(within(database, facts, PROJECT), name)
        db.run("select orchestra.pause(%s, %s)", PROJECT, name)
    assert found.traffic is not None
    assert found.traffic.ended == row["gone"]
    assert found.traffic.came == 0


def test_notes_are_kept_for_eleven_minutes(db: RuntimeDb) -> None:
    name = db.queue()
    for _ in range(13):
        housekept(db, "1 minute")
    kept = db.rows("select workload, count(*) from orchestra.traffic group by 1 order by 1")
    assert kept == [("", 11), (name, 11)]


def test_a_look_gives_back_the_locks_of_the_queues(db: RuntimeDb) -> None:
    for _ in range(5):
        db.queue()
    with opened(db.dsn) as database:
        facts = server.probe(database)
        with database.transaction("begin isolation level repeatable read read only"):
            assert len(within(database, facts, PROJECT).workloads) == 5
            [row] = database.rows(
                "select count(*) as held from pg_locks l join pg_class c on c.oid = l.relation "
                "where l.pid = pg_backend_pid() and c.relnamespace = 'pgmq'::regnamespace"
            )
    assert row["held"] == 0


def test_as_many_round_trips_for_many_workloads_as_for_one(db: RuntimeDb) -> None:
    def trips() -> int:
        with opened(db.dsn) as database:
            facts = server.probe(database)
            before = database.round_trips
            read(database, facts, PROJECT)
            return database.round_trips - before

    db.queue()
    one = trips()
    for _ in range(20):
        db.queue()
        db.edge()
        db.schedule(db.scheduled(), cron="0 3 * * *")
    assert trips() == one
