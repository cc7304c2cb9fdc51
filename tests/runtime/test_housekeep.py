"""The job of each minute: what it deletes, how much at once, and that one workload's trouble is its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from runtime.pipelines import pipeline, step
from runtime.runtime_db import PROJECT, RuntimeDb

ENGINES = ("embedded", "pg17", "pg15")


@pytest.fixture(autouse=True)
def nothing_else(db: RuntimeDb) -> Iterator[None]:
    yield
    db.run(
        "truncate orchestra.workload, orchestra.scheduled_run, orchestra.fired, orchestra.dead_letter, "
        "orchestra.delivery, orchestra.run, orchestra.task, orchestra.idempotency, orchestra.debounce, orchestra.rate, "
        "orchestra.knock cascade"
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


def test_a_transaction_does_a_bounded_amount_and_a_call_goes_on_until_nothing_is_left(db: RuntimeDb) -> None:
    name = db.queue(retention_failed_ms=1000)
    dead_letters(db, name, 12_000, "1 day")
    assert db.one("select orchestra.prune_workload(%s, %s, 5000)", PROJECT, name)
    assert count(db, "dead_letter", name) == 7_000
    db.housekeep()
    assert count(db, "dead_letter", name) == 0
    assert not db.one("select orchestra.prune_workload(%s, %s, 5000)", PROJECT, name)


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


def test_due_times_are_remembered_for_as_long_as_they_could_be_caught_up_with(db: RuntimeDb) -> None:
    """What is forgotten would be due again. One that waits in a buffer has not begun yet."""
    name = db.scheduled()
    db.schedule(name, cron="0 0 1 1 *", catchup_window_ms=30 * 86_400_000)
    db.run(
        "insert into orchestra.fired (project, workload, position, scheduled_for, outcome) "
        "select %s, %s, 1, now() - d * interval '1 day', o "
        "from unnest(array[1, 20, 36, 38, 90], array['run', 'run', 'run', 'run', 'buffered']) f(d, o)",
        PROJECT,
        name,
    )
    db.run("select orchestra.prune_workload(%s, %s, 5000)", PROJECT, name)
    days = "round(extract(epoch from now() - scheduled_for) / 86400)::int"
    left = db.rows(f"select {days} from orchestra.fired where workload = %s order by 1", name)
    assert left == [(1,), (20,), (36,), (90,)]


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
    db.remove(name)
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
        db.housekeep()
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


# What stands beside the queues


def old_runs(db: RuntimeDb, name: str, status: str, age: str, runs: int = 1, tasks: int = 0) -> None:
    """Runs that ended so long ago, each with a step and so many tasks."""
    db.run(
        "with r as (insert into orchestra.run (project, workload, status, started_at, finished_at) "
        "select %s, %s, %s, now() - %s::interval, now() - %s::interval from generate_series(1, %s) returning id), "
        "s as (insert into orchestra.step (run, step, position) select id, 'only', 1 from r) "
        "insert into orchestra.task (run, step, i) select id, 'only', i from r, generate_series(1, %s) i",
        *(PROJECT, name, status, age, age, runs, tasks),
    )


READ_ROWS = """
    select sum(seq_tup_read + coalesce(idx_tup_fetch, 0)) from pg_stat_user_tables
    where schemaname = 'orchestra' and relname in ('call', 'run', 'idempotency')
"""


def tasks(db: RuntimeDb) -> int:
    return int(db.one("select count(*) from orchestra.task"))


def test_runs_go_with_their_steps_and_tasks_after_their_time_but_not_while_they_go_on(db: RuntimeDb) -> None:
    usual, short = db.edge(), db.edge(retention_completed_ms=3_600_000, retention_failed_ms=7_200_000)
    for name in (usual, short):
        for status in ("done", "failed", "cancelled", "running", "waiting"):
            for age in ("90 minutes", "3 hours", "8 days", "91 days"):
                old_runs(db, name, status, age, tasks=2)
        db.run(
            f"insert into pgmq.q_{name} (vt, message, headers) "
            "select now(), '{}', orchestra.task_headers(id, 1, 'only', 0) from orchestra.run "
            "where workload = %s and status in ('running', 'waiting')",
            name,
        )
    db.housekeep()
    left = "select status, count(*)::int from orchestra.run where workload = %s group by 1"
    assert dict(db.rows(left, usual)) == {"done": 2, "failed": 3, "cancelled": 3, "running": 4, "waiting": 4}
    assert dict(db.rows(left, short)) == {"failed": 1, "cancelled": 1, "running": 4, "waiting": 4}
    assert tasks(db) == 2 * db.one("select count(*) from orchestra.run")
    assert db.one("select count(*) from orchestra.step") == db.one("select count(*) from orchestra.run")


def test_a_run_whose_messages_are_gone_ends_and_one_that_has_any_goes_on(db: RuntimeDb) -> None:
    """As after a purge of the queue, or a crash over an unlogged one."""
    name = pipeline(db, step("a"), step("b", "a"))
    lost, planned, kept, busy = db.send(name), db.send(name, delay="1 hour"), db.send(name), db.send(name)
    worker = db.worker(name)
    given = {m[4]["orchestra"]["run"]: m[0] for m in worker.turn(3).given}
    db.run(
        f"delete from pgmq.q_{name} where (headers #>> '{{orchestra,run}}')::bigint = any(%s)",
        [lost, planned],
    )
    with db.connect(autocommit=False) as other:
        # Somebody has it at the moment, and may be about to send its messages again.
        other.execute("select from orchestra.run where id = %s for update", (planned,))
        db.housekeep()
    states = "select id, status from orchestra.run where workload = %s"
    assert dict(db.rows(states, name)) == {
        lost: "failed", planned: "waiting", kept: "running", busy: "running"
    }  # fmt: skip
    assert db.one("select error from orchestra.run where id = %s", lost) == (
        "its messages are not in the queue any more"
    )
    db.housekeep()
    assert dict(db.rows(states, name))[planned] == "failed"
    worker.turn(0, ack=[given[kept]])
    db.run("select orchestra.retry_run(%s)", lost)
    db.housekeep()
    assert dict(db.rows(states, name)) == {
        lost: "running",
        planned: "failed",
        kept: "running",
        busy: "running",
    }


def test_pruning_reads_no_more_than_what_it_deletes(db: RuntimeDb) -> None:
    """A week of calls and runs, none of them old enough: an index says so."""
    db.remove(db.edge())
    name = db.edge()
    for table, columns, values in (
        ("call", "accepted_at, due_at, status", "now() - interval '6 days', now(), 'done'"),
        ("run", "started_at, finished_at, status", "now() - interval '6 days', now(), 'done'"),
        ("idempotency", "key, expires_at", "i::text, now() + interval '1 day'"),
    ):
        db.run(
            f"insert into orchestra.{table} (project, workload, {columns}) "
            f"select '{PROJECT}', '{name}', {values} from generate_series(1, 20000) i"
        )
    db.run("analyze orchestra.call, orchestra.run, orchestra.idempotency")
    db.run("select pg_stat_force_next_flush()")
    before = db.engine.execute(READ_ROWS)[0][0]
    with db.connect() as connection:
        connection.execute("select orchestra.prune_workload(%s, %s, 5000)", (PROJECT, name))
        connection.execute("select orchestra.prune_removed(%s, 5000)", (PROJECT,))
        connection.execute("select pg_stat_force_next_flush()")
        connection.execute("select 1")
    assert db.engine.execute(READ_ROWS)[0][0] - before < 1_000


def test_tasks_of_a_large_run_go_bit_by_bit_and_the_run_after_them(db: RuntimeDb) -> None:
    name = db.edge()
    old_runs(db, name, "done", "8 days", tasks=12_000)
    assert db.one("select orchestra.prune_workload(%s, %s, 5000)", PROJECT, name)
    assert (tasks(db), count(db, "run", name)) == (7_000, 1)
    db.housekeep()
    assert (tasks(db), count(db, "run", name)) == (0, 0)


def test_what_a_busy_minute_leaves_behind_goes_within_one(db: RuntimeDb) -> None:
    name = db.edge(idempotency_key="id")
    db.run(
        "insert into orchestra.idempotency (project, workload, key, expires_at) "
        "select %s, %s, i::text, now() - interval '1 second' from generate_series(1, 30000) i",
        PROJECT,
        name,
    )
    old_runs(db, name, "done", "8 days", runs=1_000)
    db.housekeep()
    assert (count(db, "idempotency", name), count(db, "run", name)) == (0, 0)


def test_keys_go_when_their_time_is_over(db: RuntimeDb) -> None:
    name = db.edge(idempotency_key="id", idempotency_ttl_ms=3_600_000)
    db.run(
        "select orchestra.send_many(%s, array(select jsonb_build_object('id', i) from generate_series(1, 4) i))",
        name,
    )
    db.run("update orchestra.idempotency set expires_at = now() - interval '1 second' where key < '3'")
    db.housekeep()
    assert db.rows("select key from orchestra.idempotency where workload = %s order by 1", name) == [
        ("3",),
        ("4",),
    ]


def test_a_debounce_key_goes_when_its_message_no_longer_waits(db: RuntimeDb) -> None:
    """A paused workload may keep messages for longer than the hour."""
    name = db.edge(debounce_ms=60_000, debounce_key="id")
    db.run(
        "select orchestra.send_many(%s, array(select jsonb_build_object('id', i) from generate_series(1, 4) i))",
        name,
    )
    db.run(f"update pgmq.q_{name} set read_ct = 1 where message ->> 'id' = '1'")
    db.run(f"delete from pgmq.q_{name} where message ->> 'id' = '2'")
    db.run("update orchestra.debounce set due_at = now() - interval '2 hours' where key <> '4'")
    db.housekeep()
    left = "select key from orchestra.debounce where workload = %s order by 1"
    assert db.rows(left, name) == [("3",), ("4",)]
    waiting = db.one(f"select msg_id from pgmq.q_{name} where message ->> 'id' = '3'")
    assert db.send(name, '{"id": 3}') == waiting


def test_idle_keys_of_a_rate_limit_go_and_what_they_dropped_stays_counted(db: RuntimeDb) -> None:
    name = db.edge(rate_limit=1, rate_period_ms=60_000, rate_key="id", rate_on_excess="drop")
    for key, dropped, ahead, age in (
        ("", 5, None, "1 day"),
        ("idle", 7, None, "2 hours"),
        ("recent", 1, None, "30 minutes"),
        ("long line", 1, "1 day", "2 hours"),
    ):
        db.run(
            "insert into orchestra.rate (project, workload, key, dropped, ahead, updated_at) "
            "values (%s, %s, %s, %s, now() + %s::interval, now() - %s::interval)",
            *(PROJECT, name, key, dropped, ahead, age),
        )
    for _ in range(2):
        db.housekeep()
    rows = db.rows("select key, dropped from orchestra.rate where workload = %s order by 1", name)
    assert rows == [("", 12), ("long line", 1), ("recent", 1)]


def test_a_knock_without_its_trigger_goes_and_one_that_is_under_way_stays(db: RuntimeDb) -> None:
    name = db.edge()
    db.run("alter table orchestra.knock disable trigger knock_at_commit")
    db.send(name)
    db.run("alter table orchestra.knock enable trigger knock_at_commit")
    assert count(db, "knock", name) == 1
    with db.connect(autocommit=False) as connection:
        connection.execute("select orchestra.send(%s, '{}')", (name,))
        db.housekeep()
        connection.commit()
    assert count(db, "knock", name) == 0
    assert db.depth(name) == 2


def test_what_a_removed_pipeline_left_behind_goes_bit_by_bit(db: RuntimeDb) -> None:
    name = db.edge()
    old_runs(db, name, "running", "1 minute", tasks=12_000)
    for table, columns, values in (
        ("call", "due_at", "now()"),
        ("idempotency", "key, expires_at", "'k', now() + interval '1 day'"),
        ("debounce", "key, due_at", "'k', now()"),
        ("rate", "key", "'k'"),
        ("reader", "role_name", "'anon'"),
        ("contract", "contract", "'c1'"),
    ):
        db.run(
            f"insert into orchestra.{table} (project, workload, {columns}) values ('{PROJECT}', '{name}', {values})"
        )
    db.remove(name)
    db.housekeep()
    assert (tasks(db), count(db, "run", name)) == (7_000, 1)
    for _ in range(3):
        db.housekeep()
    assert tasks(db) == 0
    gone = ("run", "call", "idempotency", "debounce", "rate", "reader", "contract", "wake", "slot")
    assert [count(db, t, name) for t in gone] == [0] * len(gone)
    assert db.one("select count(*) from orchestra.step") == 0


def test_pruning_waits_for_nobody_and_nobody_for_it(db: RuntimeDb) -> None:
    """Rows that a sender or a claim has locked at the moment are left for the next time."""
    name = db.edge(debounce_ms=60_000, debounce_key="id", rate_limit=1, rate_period_ms=1_000, rate_key="id")
    db.run(
        "select orchestra.send_many(%s, array(select jsonb_build_object('id', i) from generate_series(1, 3) i))",
        name,
    )
    db.run(f"delete from pgmq.q_{name}")
    db.run("update orchestra.debounce set due_at = now() - interval '2 hours'")
    db.run(
        "insert into orchestra.rate (project, workload, key, updated_at) "
        "select %s, %s, i::text, now() - interval '2 hours' from generate_series(1, 3) i",
        PROJECT,
        name,
    )
    with db.connect(autocommit=False) as holder:
        for table in ("debounce", "rate"):
            holder.execute(
                f"select from orchestra.{table} where workload = %s and key = '2' for update", (name,)
            )
        db.housekeep()
        for table in ("debounce", "rate"):
            assert db.rows(f"select key from orchestra.{table} where workload = %s and key <> ''", name) == [
                ("2",)
            ]
