"""Pipelines whose steps are statements: what they answer, as whom they run, how long they may."""

from __future__ import annotations

import threading
import time
from typing import Any

from runtime.pipelines import result_of, run_of, sql_pipeline, step, steps_of
from runtime.runtime_db import RuntimeDb

ENGINES = ("embedded", "pg17", "pg15")


def worked_off(db: RuntimeDb, *steps: dict[str, Any], payload: str = "{}", **columns: Any) -> tuple[str, int]:
    """A pipeline, and a run of it that one call of its worker has brought to its end."""
    name = sql_pipeline(db, *steps, **columns)
    run = db.send(name, payload)
    db.drain(name)
    assert run_of(db, run) == ("done", None)
    return name, run


def answer(db: RuntimeDb, sql: str, payload: str = "{}") -> object:
    """What a step of this statement answers, as the next one is given it."""
    _, run = worked_off(db, step("a", sql=sql), step("b", "a", sql="select $1 -> 'a'"), payload=payload)
    return result_of(db, run, "b")


def test_a_pipeline_is_worked_off_in_one_call(db: RuntimeDb) -> None:
    name, run = worked_off(
        db,
        step("collect", sql="select jsonb_agg(i) from generate_series(1, ($1 ->> 'n')::int) i"),
        step("square", map="collect", sql="select $1::int * $1::int"),
        step("total", "square", sql="select sum(v::int) from jsonb_array_elements_text($1 -> 'square') v"),
        payload='{"n": 20}',
    )
    assert steps_of(db, run) == {
        "collect": ("done", 1, 1, 0),
        "square": ("done", 20, 20, 0),
        "total": ("done", 1, 1, 0),
    }
    assert result_of(db, run, "total") == 2870
    assert db.slot(name) == (None, None, [], [])


def test_workers_in_sql_share_a_step_and_join_it_once(db: RuntimeDb) -> None:
    name = sql_pipeline(
        db,
        step("collect", sql="select jsonb_agg(i) from generate_series(1, 60) i"),
        step("each", map="collect", sql="select $1"),
        step("end", "each", sql="select jsonb_array_length($1 -> 'each')"),
        concurrency=4,
    )
    stop = threading.Event()

    def drain(worker: int) -> None:
        while not stop.is_set():
            db.drain(name, worker)
            time.sleep(0.005)

    runs = [db.send(name) for _ in range(6)]
    with db.background(*[lambda w=w: drain(w) for w in range(1, 5)]) as errors:
        db.wait_for(
            "select not exists (select from orchestra.run where id = any (%s) and status <> 'done')", runs
        )
        stop.set()
    assert errors == []
    assert db.rows(
        "select count(*), count(distinct run), min(result::int) from orchestra.task "
        "where run = any (%s) and step = 'end'",
        runs,
    ) == [(6, 6, 60)]


def test_what_a_statement_answers(db: RuntimeDb) -> None:
    assert answer(db, "select 7") == 7
    assert answer(db, "select 1 as a, 'x' as b") == {"a": 1, "b": "x"}
    assert answer(db, "select i from generate_series(5, 9) i") == 5  # its first row
    assert answer(db, "select array[1, 2]") == [1, 2]
    assert answer(db, "select null::int") is None
    assert answer(db, "select 1 where false") is None
    assert answer(db, "select 1 as a, 2 as b where false") is None
    assert answer(db, "select '{}'::jsonb") == {}
    assert answer(db, "select $1 -> 'n'", '{"n": [1]}') == [1]


def test_a_statement_that_writes_answers_what_it_returns(db: RuntimeDb) -> None:
    db.run("drop table if exists public.noted")
    db.run("create table public.noted (id int generated always as identity, n int)")
    insert = "insert into public.noted (n) select i from generate_series(1, 3) i"
    assert answer(db, f"{insert} returning n") == 1
    assert answer(db, f"{insert} returning id, n") == {"id": 4, "n": 1}
    _, run = worked_off(db, step("a", sql=insert, answers=False), step("b", "a", sql="select $1"))
    assert result_of(db, run, "b") == {"a": None}
    assert db.one("select count(*) from public.noted") == 9


def test_each_step_runs_as_its_own_role_and_on_its_own_search_path(db: RuntimeDb) -> None:
    db.run("create schema if not exists app")
    db.run("grant usage on schema app to authenticated")
    db.run("create or replace function app.here() returns text language sql as 'select current_user::text'")
    name = sql_pipeline(
        db,
        step("one", sql="select here()", run_role="authenticated", search_path=["app"]),
        step("two", "one", sql="select app.here()"),
        step("three", "two", sql="select here()"),
        max_attempts=1,
    )
    run = db.send(name)
    db.drain(name)
    assert db.rows(
        "select step, result from orchestra.task where run = %s and not failed order by 1", run
    ) == [
        ("one", "authenticated"),
        ("two", db.one("select current_user")),
    ]
    status, error = run_of(db, run)
    assert status == "failed"
    assert error is not None
    assert error.startswith("step three failed: function here() does not exist")


def test_each_step_has_its_own_timeout(db: RuntimeDb) -> None:
    name = sql_pipeline(
        db,
        step("quick", sql="select 1 from pg_sleep(0.3)", timeout_ms=5_000),
        step("slow", "quick", sql="select 1 from pg_sleep(60)", timeout_ms=50),
        max_attempts=1,
        timeout_ms=60_000,
    )
    run = db.send(name)
    with db.background(lambda: db.drain(name)):
        db.wait_for(
            "select exists (select from orchestra.slot where workload = %s and due_at < clock_timestamp())",
            name,
        )
        assert steps_of(db, run)["quick"][0] == "done"
        db.tick()
    assert run_of(db, run) == ("failed", "step slow failed: timed out after 50 ms")


def test_a_step_that_fails_is_tried_again_and_its_effect_and_its_answer_commit_together(
    db: RuntimeDb,
) -> None:
    db.run("drop table if exists public.noted")
    db.run("create table public.noted (step text, attempt int)")
    _, run = worked_off(
        db,
        step("a", sql="insert into public.noted values ('a', $2) returning 1 / ($2 - 1)"),
        step("b", "a", sql="insert into public.noted values ('b', $2) returning $1 -> 'a'"),
        max_attempts=3,
    )
    assert db.rows("select * from public.noted") == [("a", 2), ("b", 1)]
    assert result_of(db, run, "b") == 1


def test_a_step_may_give_up_or_ask_for_another_time(db: RuntimeDb) -> None:
    name = sql_pipeline(
        db,
        step("a", sql="select orchestra.snooze('1 hour', 'not yet')", answers=False),
        step("b", "a", sql="select 1"),
    )
    run = db.send(name)
    db.drain(name)
    assert run_of(db, run) == ("running", None)
    assert db.one(f"select vt > now() + interval '50 minutes' from pgmq.q_{name}")
    refused = sql_pipeline(db, step("a", sql="select orchestra.reject('hopeless')", answers=False))
    run = db.send(refused)
    db.drain(refused)
    assert run_of(db, run) == ("failed", "step a failed: hopeless")


def test_a_task_whose_backend_was_killed_leaves_nothing_and_is_done_by_the_next(db: RuntimeDb) -> None:
    db.run("drop table if exists public.noted")
    db.run("create table public.noted (n int)")
    slow = "with w as materialized (select pg_sleep(60)) insert into public.noted select 1 from w returning n"
    name = sql_pipeline(db, step("a", sql=slow, timeout_ms=60_000), step("b", "a", sql="select $1"))
    run = db.send(name)
    with db.background(lambda: db.drain(name)):
        db.terminate(db.running_pid(name))
        db.tick()
    assert db.one("select count(*) from public.noted") == 0
    assert steps_of(db, run)["a"] == ("running", 1, 0, 0)
    db.run(
        "update orchestra.workload set steps = jsonb_set(steps, '{0,sql}', '\"select 5\"') where name = %s",
        name,
    )
    db.drain(name)
    assert run_of(db, run) == ("done", None)


def test_a_cancelled_run_is_left_alone_by_the_worker_that_is_at_it(db: RuntimeDb) -> None:
    name = sql_pipeline(
        db, step("a", sql="select 1 from pg_advisory_xact_lock(1)"), step("b", "a", sql="select 1")
    )
    run = db.send(name)
    with db.connect() as holder:
        holder.execute("select pg_advisory_lock(1)")
        with db.background(lambda: db.drain(name)) as errors:
            db.running_pid(name)
            assert db.one("select orchestra.cancel_run(%s)", run) is True
            holder.execute("select pg_advisory_unlock(1)")
    assert errors == []
    assert run_of(db, run)[0] == "cancelled"
    assert steps_of(db, run) == {"a": ("cancelled", 1, 0, 0), "b": ("cancelled", 0, 0, 0)}
    assert db.depth(name) == 0


def test_a_role_that_may_not_be_taken_fails_the_step_and_not_the_worker(db: RuntimeDb) -> None:
    name = sql_pipeline(db, step("a", sql="select 1", run_role="nobody_such"), max_attempts=1)
    run = db.send(name)
    db.drain(name)
    status, error = run_of(db, run)
    assert status == "failed"
    assert error is not None
    assert "nobody_such" in error
    assert db.slot(name) == (None, None, [], [])


def test_a_run_that_somebody_has_locked_holds_up_no_other(db: RuntimeDb) -> None:
    """As in a transaction that has cancelled it and is left open; its message stands at the head of the queue."""
    name = sql_pipeline(db, step("a", sql="select 1"))
    held = db.send(name, delay="10 milliseconds")
    others = [db.send(name) for _ in range(3)]
    time.sleep(0.02)
    with db.connect(autocommit=False) as other:
        other.execute("select orchestra.cancel_run(%s)", (held,))
        db.drain(name)
        assert [run_of(db, run) for run in others] == [("done", None)] * 3
        other.rollback()
    db.drain(name)
    assert run_of(db, held) == ("done", None)
