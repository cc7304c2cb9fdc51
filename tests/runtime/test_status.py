"""Status: what it says is so, and it costs the same whatever lies in a queue."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from psycopg.rows import dict_row

from runtime.runtime_db import PROJECT, RuntimeDb

ENGINES = ("embedded", "pg17", "pg15")
STATUS = f"select * from orchestra.status('{PROJECT}')"


@pytest.fixture(autouse=True)
def nothing_else(db: RuntimeDb) -> Iterator[None]:
    yield
    db.run("truncate orchestra.workload, orchestra.call, orchestra.dead_letter cascade")


def status(db: RuntimeDb, name: str) -> dict[str, Any]:
    with db.main.cursor(row_factory=dict_row) as cursor:
        cursor.execute("select * from orchestra.status(%s) where workload = %s", (PROJECT, name))
        [row] = cursor.fetchall()
    return row


def fill(db: RuntimeDb, name: str, count: int, vt: str = "now() - interval '1 minute'") -> None:
    """Rows put there on a connection of their own, whose end makes the server count them."""
    with db.connect() as connection:
        connection.execute(
            f"insert into pgmq.q_{name} (vt, message) select {vt}, '{{}}' from generate_series(1, {count}) i"
        )


def test_numbers_are_what_counting_gives(db: RuntimeDb) -> None:
    name = db.edge(concurrency=25, max_items=100, max_attempts=1_000)
    fill(db, name, 37)
    fill(db, name, 11, "now() + interval '1 hour'")
    first, second, gone = (db.worker(name) for _ in range(3))
    held = first.turn(8).ids
    second.turn(5)
    gone.turn(3)
    db.run("update orchestra.slot set lease_until = now() - interval '1 second' where slot = %s", gone.slot)
    first.turn(0, ack=held[:2], fails=[{"id": str(held[2]), "error": "no", "code": "ORC01"}])
    db.enqueue(name, range(3))
    row = status(db, name)
    depth, waiting = db.rows(f"select count(*), count(*) filter (where vt <= now()) from pgmq.q_{name}")[0]
    assert (row["depth"], row["depth_is_estimate"], row["waiting"]) == (depth, False, waiting)
    assert (depth, waiting) == (37 + 11 + 3 - 3, 37 - 8 - 5 - 3 + 3)
    assert (row["in_flight"], row["workers"], row["slots"]) == (5 + 5, 2, 3)
    assert (row["runs_going_on"], row["calls_going_on"]) == (1, 0)
    assert (row["dead_letters"], row["last_error"]) == (1, "no")
    assert (row["pattern"], row["handler"], row["paused"], row["fault"]) == ("queue", "edge", False, None)
    db.run("select orchestra.redrive(%s)", name)
    assert status(db, name)["dead_letters"] == 0


def test_a_sql_consumer_counts_as_a_worker_while_it_works(db: RuntimeDb) -> None:
    name = db.queue("select pg_advisory_xact_lock(1)", concurrency=3)
    db.send(name)
    idle = status(db, name)
    with db.connect() as holder:
        holder.execute("select pg_advisory_lock(1)")
        with db.background(lambda: db.drain(name)):
            db.running_pid(name)
            row = status(db, name)
            holder.execute("select pg_advisory_unlock(1)")
    assert (row["workers"], row["in_flight"], row["slots"], row["waiting"]) == (1, 1, 3, 0)
    assert (idle["workers"], idle["in_flight"], idle["waiting"]) == (0, 0, 1)


def test_above_ten_thousand_it_is_an_estimate(db: RuntimeDb) -> None:
    name = db.edge()
    fill(db, name, 9_999)
    row = status(db, name)
    assert (row["depth"], row["depth_is_estimate"], row["waiting"]) == (9_999, False, 9_999)
    fill(db, name, 20_001)
    db.wait_for(
        "select depth between 25000 and 35000 from orchestra.status(%s) where workload = %s", PROJECT, name
    )
    row = status(db, name)
    assert (row["depth_is_estimate"], row["waiting"]) == (True, 10_000)


def test_the_oldest_is_the_one_that_could_begin_for_the_longest_time(db: RuntimeDb) -> None:
    name = db.edge()
    assert status(db, name)["oldest_waiting"] is None
    fill(db, name, 1, "now() + interval '1 hour'")
    assert status(db, name)["oldest_waiting"] is None
    fill(db, name, 5)
    # Enqueued long ago, delayed until a moment ago: that is no backlog.
    db.run(
        f"insert into pgmq.q_{name} (enqueued_at, vt, message) values (now() - interval '1 day', now(), '{{}}')"
    )
    assert 60 <= status(db, name)["oldest_waiting"].total_seconds() < 75
    db.run(f"update pgmq.q_{name} set vt = now() - interval '10 minutes', read_ct = 1 where msg_id = 3")
    assert 600 <= status(db, name)["oldest_waiting"].total_seconds() < 615


def test_alerts_fire_beyond_their_limits_and_not_at_them(db: RuntimeDb) -> None:
    name = db.edge(max_depth=5, max_age_ms=90_000)
    fill(db, name, 5)
    fill(db, name, 50, "now() + interval '1 hour'")
    assert status(db, name)["alerts"] == []
    fill(db, name, 1)
    assert status(db, name)["alerts"] == ["max_depth"]
    db.run(f"update pgmq.q_{name} set vt = now() - interval '2 minutes' where msg_id = 2")
    assert status(db, name)["alerts"] == ["max_depth", "max_age"]
    db.run(f"delete from pgmq.q_{name} where msg_id > 2")
    assert status(db, name)["alerts"] == ["max_age"]
    large = db.edge(max_depth=15_000)
    fill(db, large, 12_000)
    assert status(db, large)["alerts"] == []
    fill(db, large, 6_000)
    db.wait_for("select alerts = '{max_depth}' from orchestra.status(%s) where workload = %s", PROJECT, large)


def test_a_locked_or_dropped_queue_says_so_and_holds_up_no_other(db: RuntimeDb) -> None:
    names = [db.edge() for _ in range(6)]
    for name in names:
        fill(db, name, 2)
    db.run("select orchestra.drop_queue(%s)", names[4])
    with db.connect(autocommit=False) as holder:
        holder.execute(f"lock table pgmq.q_{names[1]} in access exclusive mode")
        rows = {
            n: (d, w, f)
            for n, d, w, f in db.rows(
                "select workload, depth, waiting, fault from orchestra.status(%s)", PROJECT
            )
        }
    assert rows.pop(names[1]) == (None, None, "canceling statement due to lock timeout")
    assert rows.pop(names[4]) == (None, None, f'relation "pgmq.q_{names[4]}" does not exist')
    assert set(rows.values()) == {(2, 2, None)}


@pytest.mark.parametrize("analyzed", [False, True])
def test_a_large_queue_is_never_read_through(db: RuntimeDb, analyzed: bool) -> None:
    name, empty = db.edge(), db.edge()
    fill(db, name, 150_000, "now() - interval '1 day' + i * interval '1 ms'")
    fill(db, name, 50_000, "now() + interval '1 day' + i * interval '1 ms'")
    if analyzed:
        db.run(f"analyze pgmq.q_{name}")
    pages = db.one(f"select pg_relation_size('pgmq.q_{name}') / 8192")
    with db.connect(autocommit=False) as connection:
        connection.execute("select * from orchestra.status(%s)", (PROJECT,))
        rows = connection.execute(
            "select relname, seq_scan from pg_stat_xact_user_tables where schemaname = 'pgmq' and relname in (%s, %s)",
            (f"q_{name}", f"q_{empty}"),
        ).fetchall()
    assert sorted(rows) == sorted([(f"q_{name}", 0), (f"q_{empty}", 0)])
    assert pages > 1_500
    assert db.pages(STATUS) < pages / 2
    assert status(db, name)["waiting"] == 10_000


def test_a_long_ledger_is_not_read_through(db: RuntimeDb) -> None:
    """The last failure among very many calls that went well."""
    name = db.insert_workload(
        "ledger", {"pattern": "wait_until", "handler": "edge", "contract": "c1", "timeout_ms": 1_000}
    )
    db.run(
        "insert into orchestra.call (project, workload, accepted_at, due_at, finished_at, status) "
        "select %s, %s, now() - i * interval '1 second', now(), now(), 'done' from generate_series(1, 50000) i",
        PROJECT,
        name,
    )
    assert db.pages(STATUS) < 200
    db.run(
        "insert into orchestra.call (project, workload, accepted_at, due_at, finished_at, status, error) "
        "values (%s, %s, now() - interval '6 days', now(), now() - interval '6 days', 'lost', 'silence'), "
        "(%s, %s, now() - interval '7 days', now(), now() - interval '7 days', 'failed', 'older')",
        *[PROJECT, name] * 2,
    )
    assert db.pages(STATUS) < 200
    row = status(db, name)
    assert (row["last_error"], row["slots"], row["depth"]) == ("silence", None, None)
    db.run(
        "insert into orchestra.scheduled_run (project, workload, scheduled_for, started_at, finished_at, status) "
        "select %s, %s, now(), now() - i * interval '1 second', now(), 'done' from generate_series(1, 50000) i",
        PROJECT,
        name,
    )
    assert db.pages(STATUS) < 200
    accept = "select call_id from orchestra.accept_v1(%s, %s, 'c1', null)"
    for _ in range(3):
        db.run(accept, PROJECT, name)
    assert status(db, name)["calls_going_on"] == 3


def test_the_last_error_is_the_latest_of_all(db: RuntimeDb) -> None:
    name = db.scheduled()
    for table, columns, values in (
        (
            "scheduled_run",
            "scheduled_for, started_at, finished_at, status, error",
            "now(), {0}, {0}, 'failed', {1}",
        ),
        (
            "dead_letter",
            "queue_name, msg_id, attempts, reason, dead_at, error",
            "'q', 1, 1, 'exhausted', {0}, {1}",
        ),
        ("call", "due_at, accepted_at, finished_at, status, error", "now(), {0}, {0}, 'lost', {1}"),
    ):
        age = {"scheduled_run": 3, "dead_letter": 2, "call": 1}[table]
        at = f"now() - interval '{age} hours'"
        db.run(
            f"insert into orchestra.{table} (project, workload, {columns}) "
            f"values ('{PROJECT}', '{name}', {values.format(at, repr(table))})"
        )
        row = status(db, name)
        assert row["last_error"] == table
        hours = db.one("select round(extract(epoch from now() - %s) / 3600)::int", row["last_dead_at"])
        assert hours == age


def test_wanted_is_what_the_spec_says_and_deployed_what_has_been_seen(db: RuntimeDb) -> None:
    name = db.edge()

    def versions() -> tuple[str, str | None]:
        row = status(db, name)
        return row["wanted"], row["deployed"]

    assert versions() == ("c1", None)
    db.worker(name, "strange")
    assert versions() == ("c1", None)
    db.worker(name, "c1").leave()
    assert versions() == ("c1", "c1")
    db.alter(name, contract="c2")
    assert versions() == ("c2", "c1")
    db.worker(name, "c2").leave()
    assert versions() == ("c2", "c2")
    db.worker(name, "c1")
    assert versions() == ("c2", "c2")


@pytest.mark.parametrize("what", ["project", "workload"])
def test_a_pause_shows(db: RuntimeDb, what: str) -> None:
    name = db.edge()
    target = name if what == "workload" else None
    db.run("select orchestra.pause(%s, %s)", PROJECT, target)
    paused = status(db, name)["paused"]
    db.run("select orchestra.resume(%s, %s)", PROJECT, target)
    assert (paused, status(db, name)["paused"]) == (True, False)


def test_calls_that_could_not_be_made_show(db: RuntimeDb) -> None:
    """There is neither pg_net nor Vault here."""
    name = db.edge()
    row = status(db, name)
    assert (row["last_wake_at"], row["wakes_missed"], row["wake_error"]) == (None, 0, None)
    db.send(name)
    row = status(db, name)
    assert row["last_wake_at"] is not None
    assert row["wakes_missed"] == 1
    assert "vault.decrypted_secrets" in row["wake_error"]


def test_all_projects_or_one(db: RuntimeDb) -> None:
    name = db.edge()
    db.run("select pgmq.create('of_other')")
    db.insert_workload(
        name,
        {
            "project": "other",
            "pattern": "queue",
            "sql": "select",
            "queue_name": "of_other",
            "timeout_ms": 1,
            "visibility_timeout_ms": 1,
            "poll_interval_ms": 1,
        },
    )
    assert db.rows("select project, paused from orchestra.status('other')") == [("other", True)]
    assert db.rows("select project from orchestra.status() order by 1") == [("other",), (PROJECT,)]
    assert db.rows("select from orchestra.status('nobody')") == []
    db.run("select pgmq.drop_queue('of_other')")


def test_an_old_snapshot_is_told(db: RuntimeDb) -> None:
    """A transaction that stays open keeps what was acknowledged from being cleared away."""
    name = db.edge()
    query = "select coalesce(oldest_snapshot, '0') < '0.3 s' from orchestra.status() where workload = %s"
    with db.connect(autocommit=False) as idle:
        idle.execute("set transaction isolation level repeatable read")
        idle.execute("select 1")
        db.wait_for(query.replace("<", ">"), name)
        idle.rollback()
    db.wait_for(query, name)
