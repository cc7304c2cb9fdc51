"""Backends that die in the middle: nothing is lost, each effect happens once, poison ends in the dead letters alone."""

from __future__ import annotations

import os
import random
import signal
import time

import psycopg
import pytest

from runtime.runtime_db import RuntimeDb

ENGINES = ("embedded", "pg17")


@pytest.fixture
def effects(db: RuntimeDb) -> str:
    db.run("drop table if exists public.effect")
    db.run("create table public.effect (msg_id bigint, payload jsonb)")
    db.run(
        """create or replace function public.slow_effect(id bigint, payload jsonb) returns void language plpgsql as $$
        begin
          insert into public.effect values (id, payload);
          perform pg_sleep(random() * 0.01);
        end $$"""
    )
    return "select public.slow_effect($3, $1)"


def test_workers_that_are_ended_at_any_moment_lose_nothing_and_do_nothing_twice(
    db: RuntimeDb, effects: str
) -> None:
    """Guarantees 2, 3 and 5."""
    name = db.queue(effects, concurrency=3, max_attempts=100, backoff_initial_ms=1, backoff_max_ms=5)
    db.send_many(name, 600)
    dice = random.Random(7)
    ended = 0
    with db.sql_workers(name, 3):
        deadline = time.monotonic() + 30
        while db.depth(name) and time.monotonic() < deadline:
            time.sleep(dice.random() * 0.03)
            pids = db.rows("select pid from orchestra.slot where workload = %s and pid is not null", name)
            if pids and ended < 60:
                db.run("select pg_terminate_backend(%s)", dice.choice(pids)[0])
                ended += 1
    assert db.depth(name) == 0
    assert ended >= 30
    assert db.rows("select count(*), count(distinct msg_id) from public.effect") == [(600, 600)]
    assert db.dead(name) == []


def test_a_message_that_kills_its_worker_dies_after_its_attempts_and_alone(
    db: RuntimeDb, effects: str
) -> None:
    """Guarantee 3 and trap 2: innocents share nothing with the poison."""
    db.run(
        """create or replace function public.poison(id bigint, payload jsonb) returns void language plpgsql as $$
        begin
          perform public.slow_effect(id, payload);
          if payload::int %% 50 = 0 then perform pg_terminate_backend(pg_backend_pid()); end if;
        end $$""".replace("%%", "%")
    )
    name = db.queue(
        "select public.poison($3, $1)", concurrency=2, max_attempts=3, backoff_initial_ms=1, batch_size=50
    )
    db.send_many(name, 200)
    with db.sql_workers(name, 2):
        db.wait_for(f"select not exists (select from pgmq.q_{name})", seconds=30)
    assert db.rows("select count(*), count(distinct msg_id) from public.effect") == [(196, 196)]
    assert sorted(
        db.rows("select payload, attempts, reason from orchestra.dead_letter where workload = %s", name)
    ) == [(n, 3, "exhausted") for n in (50, 100, 150, 200)]
    assert "went away without a verdict" in db.dead(name)[0][3]


def test_an_attempt_is_counted_before_the_handler_runs(db: RuntimeDb) -> None:
    name = db.queue("select pg_terminate_backend(pg_backend_pid())", max_attempts=2)
    db.send(name)
    for expected in (1, 2):
        with pytest.raises(psycopg.OperationalError):
            db.drain(name)
        assert db.one(f"select read_ct from pgmq.q_{name}") == expected
        db.tick()
    db.drain(name)
    assert [(d[1], d[2]) for d in db.dead(name)] == [(2, "exhausted")]


def test_what_a_killed_worker_held_waits_for_the_backoff_and_not_for_the_lease(db: RuntimeDb) -> None:
    name = db.queue(
        "select pg_sleep(60)", visibility_timeout_ms=3_600_000, backoff_initial_ms=200, backoff_max_ms=200
    )
    db.send(name)
    with db.background(lambda: db.drain(name)):
        db.terminate(db.running_pid(name))
        db.tick()
        assert db.slot(name) == (None, None, [], [])
        left = db.one(f"select extract(epoch from vt - now())::float8 from pgmq.q_{name}")
        assert 0 < left <= 0.2
    assert db.rows(
        "select settled, free, last_sqlstate from orchestra.delivery where workload = %s", name
    ) == [(0, 0, "57P01")]


def test_a_worker_itself_takes_over_the_slot_of_a_dead_one(db: RuntimeDb) -> None:
    name = db.queue("select pg_sleep(60)")
    db.send(name)
    with db.background(lambda: db.drain(name)):
        db.terminate(db.running_pid(name))
    db.alter(name, sql="select")
    db.drain(name)
    assert db.depth(name) == 0


@pytest.mark.engines("pg17")
def test_a_server_that_crashes_in_mid_handler_goes_on_where_it_was(db: RuntimeDb, effects: str) -> None:
    """kill -9 of a backend: the whole server starts again. Commits are made durable for once."""
    db.run("alter role postgres_like set synchronous_commit = on")
    db.run("set synchronous_commit = on")
    name = db.queue(effects, concurrency=2, max_attempts=20, backoff_initial_ms=1, backoff_max_ms=5)
    db.send_many(name, 300)
    crashes = 0
    with db.sql_workers(name, 2):
        deadline = time.monotonic() + 40
        while time.monotonic() < deadline:
            try:
                if not db.depth(name):
                    break
                pids = db.rows(
                    "select s.pid from orchestra.slot s join pg_stat_activity a using (pid) "
                    "where s.workload = %s and s.held <> '{}' and a.query_start = s.call_started",
                    name,
                )
                if pids and crashes < 3:
                    os.kill(pids[0][0], signal.SIGKILL)
                    crashes += 1
                    time.sleep(0.3)
            except psycopg.Error:
                time.sleep(0.1)
    assert crashes == 3
    assert db.rows("select count(*), count(distinct msg_id) from public.effect") == [(300, 300)]
    assert db.depth(name) == 0
    assert db.dead(name) == []
