"""The tick: timeouts that hit what they are meant for alone, slots of the dead, one locked queue among many."""

from __future__ import annotations

import re
import threading
import time

import psycopg
import pytest

from runtime.runtime_db import PROJECT, RuntimeDb

ENGINES = ("embedded", "pg17")


def test_an_overdue_handler_is_cancelled_and_counts_as_a_failure(db: RuntimeDb) -> None:
    name = db.queue(
        "select pg_sleep(case $2 when 1 then 60 else 0 end)", timeout_ms=100, backoff_initial_ms=1
    )
    ident = db.send(name)
    with db.background(lambda: db.drain(name)):
        db.running_pid(name)
        time.sleep(0.05)
        db.tick()
        assert db.one("select cancelled_at from orchestra.slot where workload = %s", name) is None
        time.sleep(0.1)
        db.tick()
    assert db.rows(
        "select msg_id, settled, last_error from orchestra.delivery where workload = %s", name
    ) in (
        [(ident, 1, "timed out after 100 ms")],
        [],
    )
    time.sleep(0.01)
    db.drain(name)
    assert db.depth(name) == 0
    assert db.dead(name) == []

    name = db.queue("select pg_sleep(60)", timeout_ms=50, max_attempts=1)
    db.send(name)
    with db.background(lambda: db.drain(name)):
        db.running_pid(name)
        time.sleep(0.06)
        db.tick()
    assert [(d[1], d[3], d[4]) for d in db.dead(name)] == [(1, "timed out after 50 ms", "57014")]


def test_a_late_cancel_never_hits_a_verdict_or_a_later_item(db: RuntimeDb) -> None:
    """Handlers that end at the very moment of their timeout, while ticks come without a pause."""
    name = db.queue(
        "select pg_sleep(0.018 + random() * 0.004)",
        timeout_ms=20,
        concurrency=2,
        max_attempts=1000,
        backoff_initial_ms=0,
    )
    db.send_many(name, 80)
    stop = threading.Event()
    broken: list[str] = []

    def work(worker: int) -> None:
        while not stop.is_set():
            try:
                db.drain(name, worker)
            except psycopg.Error as error:  # a cancel that hit something outside of a handler
                broken.append(str(error))

    def ticks() -> None:
        with db.connect() as connection:
            while not stop.is_set():
                connection.execute("call orchestra.tick(%s, 1000)", (PROJECT,))

    with db.background(lambda: work(1), lambda: work(2), ticks, ticks):
        try:
            db.wait_for(f"select not exists (select from pgmq.q_{name})", seconds=30)
        finally:
            stop.set()
    # A worker that stood still for its item's whole time before it began is cancelled at the door; that is all.
    assert [b for b in broken if re.search("ack_message|fail_message|claim_one|slot_|COMMIT", b)] == []
    assert len(broken) <= 3
    assert db.dead(name) == []


def test_cancelled_handlers_are_those_that_were_overdue(db: RuntimeDb) -> None:
    """Quick and overdue items in one queue: what is quick is never charged with a timeout."""
    name = db.queue(
        "select pg_sleep(case when $1::int % 5 = 0 then 5 else 0.001 end)", timeout_ms=300, max_attempts=1
    )
    db.send_many(name, 30)
    stop = threading.Event()

    def ticks() -> None:
        with db.connect() as connection:
            while not stop.is_set():
                connection.execute("call orchestra.tick(%s, 1000)", (PROJECT,))

    with db.background(ticks):
        try:
            db.drain(name)
        finally:
            stop.set()
    payloads = db.rows(
        "select payload::int, sqlstate from orchestra.dead_letter where workload = %s order by 1", name
    )
    assert payloads == [(n, "57014") for n in range(5, 31, 5)]


def test_a_handler_that_ignores_its_cancel_is_ended(db: RuntimeDb) -> None:
    db.run(
        """create or replace function public.stubborn() returns void language plpgsql as $$
        begin
          loop
            begin perform pg_sleep(60); exception when query_canceled then null; end;
          end loop;
        end $$"""
    )
    name = db.queue("select public.stubborn()", timeout_ms=50, max_attempts=1)
    db.send(name)
    with db.background(lambda: db.drain(name)):
        db.running_pid(name)
        time.sleep(0.06)
        db.tick()
        db.run(
            "update orchestra.slot set cancelled_at = cancelled_at - interval '11 seconds' where workload = %s",
            name,
        )
        db.tick()
    db.tick()
    db.drain(name)
    assert [(d[1], d[3]) for d in db.dead(name)] == [(1, "timed out; its worker was ended")]


def test_a_handler_that_swallows_its_cancel_and_ends_is_a_timeout(db: RuntimeDb) -> None:
    db.run(
        """create or replace function public.swallow() returns void language plpgsql as $$
        begin perform pg_sleep(60); exception when query_canceled then null; end $$"""
    )
    name = db.queue("select public.swallow()", timeout_ms=50, max_attempts=1)
    db.send(name)
    with db.background(lambda: db.drain(name)):
        db.running_pid(name)
        time.sleep(0.06)
        db.tick()
    assert [d[3] for d in db.dead(name)] == ["timed out after 50 ms"]


def test_a_handler_that_waits_for_a_lock_gives_up_by_itself(db: RuntimeDb) -> None:
    """No tick is needed for the most usual way to hang."""
    db.run("create table if not exists public.locked (id int)")
    name = db.queue("insert into public.locked values (1)", timeout_ms=100, max_attempts=1)
    db.send(name)
    with db.connect(autocommit=False) as holder:
        holder.execute("lock table public.locked")
        db.drain(name)
    assert [d[4] for d in db.dead(name)] == ["55P03"]


def test_one_locked_queue_delays_no_other(db: RuntimeDb) -> None:
    """Trap 7: dead workers of ten queues, one of whose tables is locked."""
    names = [db.queue("select pg_sleep(60)", backoff_initial_ms=0) for _ in range(10)]
    for name in names:
        db.send(name)
    with db.background(*[lambda n=n: db.drain(n) for n in names]):
        for name in names:
            db.terminate(db.running_pid(name))
    with db.connect(autocommit=False) as holder:
        holder.execute(f"lock table pgmq.q_{names[3]} in access exclusive mode")
        db.tick()
    freed = db.rows("select workload from orchestra.slot where workload = any(%s) and token is null", names)
    assert len(freed) == 9
    db.tick()
    assert db.slot(names[3]) == (None, None, [], [])


def test_another_intervals_tick_leaves_a_queue_alone(db: RuntimeDb) -> None:
    name = db.queue("select pg_sleep(60)", poll_interval_ms=5_000)
    db.send(name)
    with db.background(lambda: db.drain(name)):
        db.terminate(db.running_pid(name))
    db.tick(1_000)
    assert db.slot(name)[0] is not None
    db.tick(5_000)
    assert db.slot(name)[0] is None


@pytest.mark.engines("pg17")
def test_a_slot_is_not_taken_from_a_worker_that_lives_although_its_lease_ran_out(db: RuntimeDb) -> None:
    name = db.queue("select pg_sleep(1)", visibility_timeout_ms=50, max_attempts=9)
    db.send(name)
    with db.background(lambda: db.drain(name)):
        pid = db.running_pid(name)
        time.sleep(0.1)
        db.drain(name)
        db.tick()
        assert db.slot(name)[1] == pid
    assert db.depth(name) == 0
