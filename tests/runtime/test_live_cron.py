"""With the cron that runs it: the commands as the compiler writes them, on pg_cron 1.6 and the stand-in's ticker."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from runtime.runtime_db import PROJECT, RuntimeDb

ENGINES = ("embedded", "pg17")


@pytest.fixture(autouse=True)
def jobs(db: RuntimeDb) -> Iterator[None]:
    """Cron runs what the test schedules, and nothing of it afterwards."""
    db.engine.fresh_launcher()
    with ExitStack() as stack:
        stack.enter_context(db.engine.run_ticker())
        yield
        db.run("select cron.unschedule(jobid) from cron.job")
        db.run("select orchestra.pause(%s)", PROJECT)
        # A background worker whose job is unscheduled is ended, and its slot waits for the next one to come.
        db.wait_for(
            "select not exists (select from orchestra.slot join pg_stat_activity using (pid) where token is not null)"
        )
        db.run("select orchestra.resume(%s)", PROJECT)


def job(db: RuntimeDb, command: str, schedule: str = "1 seconds") -> None:
    db.run("select cron.schedule(%s, %s, %s)", f"orchestra:{PROJECT}:{command}", schedule, command)


def test_cron_drains_fires_ticks_and_keeps_house(db: RuntimeDb) -> None:
    """Guarantees 2, 3, 9, 11 and 12 in one: good, failing, hanging and killing messages, and a schedule beside them."""
    db.run("create table if not exists public.handled (msg_id bigint, attempt int)")
    db.run("create table if not exists public.beats (scheduled_for timestamptz)")
    db.run(
        """create or replace function public.handle(id bigint, what text, attempt int) returns void
        language plpgsql as $$
        begin
          insert into public.handled values (id, attempt);
          case what
            when 'fail' then raise exception 'it failed';
            when 'once' then if attempt = 1 then raise exception 'not yet'; end if;
            when 'hang' then perform pg_sleep(60);
            when 'kill' then perform pg_terminate_backend(pg_backend_pid());
            when 'no' then raise exception 'never' using errcode = 'ORC01';
            else null;
          end case;
        end $$"""
    )
    name = db.queue(
        "select public.handle($3, $1 ->> 'what', $2)",
        concurrency=2,
        max_attempts=2,
        timeout_ms=500,
        backoff_initial_ms=50,
    )
    beat = db.scheduled("insert into public.beats values (($1 ->> 'scheduled_for')::timestamptz)")
    db.schedule(beat, every_ms=1_000, since="now")
    job(db, f"call orchestra.drain_sql('{PROJECT}', '{name}', 1)")
    job(db, f"call orchestra.drain_sql('{PROJECT}', '{name}', 2)")
    job(db, f"call orchestra.tick('{PROJECT}', 1000)")
    job(db, f"call orchestra.fire('{PROJECT}', '{beat}', 1)")
    job(db, f"call orchestra.housekeep('{PROJECT}')", "* * * * *")
    job(db, f"call orchestra.catch_up('{PROJECT}')", "* * * * *")
    for what in ["ok"] * 20 + ["once"] * 3 + ["fail", "hang", "kill", "no"]:
        db.send(name, f'{{"what": "{what}"}}')
    db.wait_for(f"select not exists (select from pgmq.q_{name})", seconds=30)
    dead = db.rows(
        "select payload ->> 'what', attempts, reason, error from orchestra.dead_letter where workload = %s order by 1",
        name,
    )
    assert [d[:3] for d in dead] == [
        ("fail", 2, "exhausted"),
        ("hang", 2, "exhausted"),
        ("kill", 2, "exhausted"),
        ("no", 1, "permanent"),
    ]
    assert dead[1][3] == "timed out after 500 ms"
    assert "went away" in dead[2][3]
    handled = db.rows("select attempt, count(*) from public.handled group by 1 order by 1")
    assert handled == [(1, 20), (2, 3)]
    db.wait_for("select count(*) >= 3 from public.beats")
    beats = db.rows("select scheduled_for from public.beats")
    assert len(beats) == len(set(beats))
    happened = db.rows("select distinct outcome from orchestra.fired where workload = %s", beat)
    assert {"run"} <= {outcome for (outcome,) in happened} <= {"run", "skipped"}


def test_a_message_is_taken_at_a_poll(db: RuntimeDb) -> None:
    db.run("create table if not exists public.taken (at timestamptz default clock_timestamp())")
    name = db.queue("insert into public.taken default values")
    job(db, f"call orchestra.drain_sql('{PROJECT}', '{name}', 1)")
    db.wait_for("select exists (select from orchestra.slot where workload = %s)", name)
    for _ in range(2):
        db.send(name)
        db.wait_for(f"select not exists (select from pgmq.q_{name})")


def test_the_gate_stops_all_jobs_while_they_stay_active(db: RuntimeDb) -> None:
    name = db.queue()
    beat = db.scheduled()
    db.schedule(beat, every_ms=1_000, since="now")
    db.run("select orchestra.pause(%s)", PROJECT)
    job(db, f"call orchestra.drain_sql('{PROJECT}', '{name}', 1)")
    job(db, f"call orchestra.fire('{PROJECT}', '{beat}', 1)")
    db.send(name)
    db.wait_for("select count(*) >= 2 from orchestra.fired where workload = %s", beat)
    assert db.rows("select distinct outcome from orchestra.fired where workload = %s", beat) == [("paused",)]
    assert db.rows("select * from orchestra.scheduled_run where workload = %s", beat) == []
    assert db.one(f"select read_ct from pgmq.q_{name}") == 0
    db.run("select orchestra.resume(%s)", PROJECT)
    db.wait_for(f"select not exists (select from pgmq.q_{name})")
