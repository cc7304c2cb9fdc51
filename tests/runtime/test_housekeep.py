"""The job of each minute: what it deletes, how much at once, and that one workload's trouble is its own."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from runtime.runtime_db import PROJECT, RuntimeDb

ENGINES = ("embedded", "pg17", "pg15")


@pytest.fixture(autouse=True)
def nothing_else(db: RuntimeDb) -> Iterator[None]:
    yield
    db.run(
        "truncate orchestra.workload, orchestra.scheduled_run, orchestra.fired, orchestra.dead_letter, "
        "orchestra.delivery cascade"
    )


def dead_letters(db: RuntimeDb, name: str, count: int, age: str) -> None:
    db.run(
        "insert into orchestra.dead_letter (project, workload, queue_name, msg_id, attempts, reason, error, dead_at) "
        "select %s, %s, %s, i, 1, 'exhausted', 'e', now() - %s::interval from generate_series(1, %s) i",
        PROJECT,
        name,
        name,
        age,
        count,
    )


def count(db: RuntimeDb, table: str, name: str) -> int:
    return int(db.one(f"select count(*) from orchestra.{table} where workload = %s", name))


def test_dead_letters_go_after_their_time_and_stay_without_one(db: RuntimeDb) -> None:
    kept, short = db.queue(), db.queue(retention_failed_ms=3_600_000)
    for name in (kept, short):
        dead_letters(db, name, 5, "2 hours")
        dead_letters(db, name, 3, "30 minutes")
    db.housekeep()
    assert (count(db, "dead_letter", kept), count(db, "dead_letter", short)) == (8, 3)


def test_a_call_does_a_bounded_amount(db: RuntimeDb) -> None:
    name = db.queue(retention_failed_ms=1000)
    dead_letters(db, name, 12_000, "1 day")
    db.housekeep()
    assert count(db, "dead_letter", name) == 7_000
    db.housekeep()
    db.housekeep()
    assert count(db, "dead_letter", name) == 0


def test_archives_go_after_their_time(db: RuntimeDb) -> None:
    short, foreign = db.queue(retention_completed_ms=60_000), db.queue()
    for name in (short, foreign):
        db.send_many(name, 4)
        db.run(f"select pgmq.archive(%s, array(select msg_id from pgmq.q_{name}))", name)
        db.run(f"update pgmq.a_{name} set archived_at = now() - interval '1 hour' where msg_id < 3")
    db.housekeep()
    assert db.one(f"select count(*) from pgmq.a_{short}") == 2
    assert (
        db.one(f"select count(*) from pgmq.a_{foreign}") == 4
    )  # not ours: the spec keeps nothing, an operator did


def test_run_history_and_fired_times_go_but_not_what_is_needed(db: RuntimeDb) -> None:
    name = db.scheduled()
    db.run(
        """insert into orchestra.scheduled_run
          (project, workload, scheduled_for, started_at, finished_at, status, retry_at)
        values (%s, %s, now(), now() - interval '8 days', now(), 'done', null),
               (%s, %s, now(), now() - interval '6 days', now(), 'done', null),
               (%s, %s, now(), now() - interval '8 days', now(), 'failed', null),
               (%s, %s, now(), now() - interval '91 days', now(), 'failed', null),
               (%s, %s, now(), now() - interval '91 days', now(), 'failed', now() + interval '1 day')""",
        *[PROJECT, name] * 5,
    )
    db.run(
        "insert into orchestra.fired (project, workload, position, scheduled_for, outcome) "
        "select %s, %s, 1, now() - d * interval '1 day', 'run' from generate_series(1, 10) d",
        PROJECT,
        name,
    )
    db.housekeep()
    assert count(db, "scheduled_run", name) == 3
    assert count(db, "fired", name) == 6


def test_notes_about_messages_that_are_gone_go_too(db: RuntimeDb) -> None:
    name = db.queue()
    alive = db.send(name, delay="1 day")
    db.run(
        "insert into orchestra.delivery (project, workload, msg_id, updated_at) "
        "select %s, %s, i, now() - interval '2 hours' from generate_series(1, 100) i",
        PROJECT,
        name,
    )
    for _ in range(3):
        db.housekeep()
    assert db.rows("select msg_id from orchestra.delivery where workload = %s", name) == [(alive,)]


def test_what_removed_workloads_left_behind_goes_except_their_dead_letters(db: RuntimeDb) -> None:
    name = db.queue()
    db.schedule(name, cron="* * * * *")
    db.fire(name)
    db.run("insert into orchestra.delivery (project, workload, msg_id) values (%s, %s, 1)", PROJECT, name)
    dead_letters(db, name, 2, "1 day")
    db.run("delete from orchestra.workload where name = %s", name)
    db.housekeep()
    assert [count(db, t, name) for t in ("delivery", "fired", "slot", "schedule", "dead_letter")] == [
        0,
        0,
        0,
        0,
        2,
    ]


def test_slots_beyond_a_lowered_limit_go(db: RuntimeDb) -> None:
    name = db.queue(concurrency=3)
    for worker in (1, 2, 3):
        db.drain(name, worker)
    db.alter(name, concurrency=1)
    db.drain(name, 2)
    db.housekeep()
    assert db.rows("select slot from orchestra.slot where workload = %s", name) == [(1,)]


def test_one_locked_or_missing_queue_is_its_own_trouble(db: RuntimeDb) -> None:
    first, locked, missing, last = (
        db.queue(retention_completed_ms=1000, retention_failed_ms=1000) for _ in range(4)
    )
    for name in (first, locked, missing, last):
        dead_letters(db, name, 2, "1 day")
    db.run("select orchestra.drop_queue(%s)", missing)
    with db.connect(autocommit=False) as holder:
        holder.execute(f"lock table pgmq.a_{locked} in access exclusive mode")
        began = time.monotonic()
        db.housekeep()
        assert time.monotonic() - began < 2
    assert [count(db, "dead_letter", n) for n in (first, last)] == [0, 0]


def test_the_run_history_of_cron_is_pruned_for_the_projects_own_jobs(db: RuntimeDb) -> None:
    """Under row security: the role deletes what it sees, and other people's rows stay."""
    engine = db.engine
    engine.execute("delete from cron.job_run_details")
    old, new = "now() - interval '2 days'", "now()"
    for command, user, at in (
        ("call orchestra.tick(''shop'', 5000)", "postgres_like", old),
        ("CALL orchestra.fire(''shop'', ''gone'', 1)", "postgres_like", old),
        ("call orchestra.tick(''other'', 5000)", "postgres_like", old),
        ("select my_own()", "postgres_like", old),
        ("call orchestra.tick(''shop'', 5000)", "postgres", old),
        ("call orchestra.tick(''shop'', 5000)", "postgres_like", new),
    ):
        engine.execute(
            "insert into cron.job_run_details "
            "(jobid, runid, database, username, command, status, start_time, end_time) "
            "select 1, coalesce(max(runid), 0) + 1, 'postgres', "
            f"'{user}', '{command}', 'succeeded', {at}, {at} from cron.job_run_details"
        )
    db.run("update orchestra.project set cron_pruned_to = 0")
    db.housekeep()
    db.housekeep()
    left = engine.execute("select username, command from cron.job_run_details order by runid")
    assert left == [
        ("postgres_like", "call orchestra.tick('other', 5000)"),
        ("postgres_like", "select my_own()"),
        ("postgres", "call orchestra.tick('shop', 5000)"),
        ("postgres_like", "call orchestra.tick('shop', 5000)"),
    ]
