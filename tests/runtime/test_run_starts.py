"""What begins a run: a send, now or later, a schedule, a row of a table, a request of many items."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from runtime.pipelines import MAPPED, pipeline, queued, run_of, sql_pipeline, step, steps_of, work
from runtime.runtime_db import PROJECT, RuntimeDb

ENGINES = ("embedded", "pg17", "pg15")


@pytest.fixture(autouse=True)
def own_runs_only(db: RuntimeDb) -> Iterator[None]:
    yield
    db.run("truncate orchestra.fired, orchestra.schedule")


def runs_of(db: RuntimeDb, name: str) -> list[tuple[int, str, Any]]:
    return db.rows("select id, status, input from orchestra.run where workload = %s order by id", name)


def test_a_run_that_is_to_begin_later_waits_and_begins_when_it_is_due(db: RuntimeDb) -> None:
    name = pipeline(db, step("a"), step("b", "a"))
    later = db.one("select orchestra.send(%s, '1', delay => '1 hour')", name)
    at = db.one("select orchestra.send(%s, '2', scheduled_at => now() + interval '2 hours')", name)
    past = db.one("select orchestra.send(%s, '3', scheduled_at => now() - interval '2 hours')", name)
    assert runs_of(db, name) == [(later, "waiting", 1), (at, "waiting", 2), (past, "running", 3)]
    assert steps_of(db, later) == {}
    assert db.rows(
        f"select round(extract(epoch from vt - now()) / 3600)::int from pgmq.q_{name} order by msg_id"
    ) == [(1,), (2,), (0,)]
    assert [t.payload for t in work(db, name)] == [3, {"a": 3}]
    db.make_visible(name)
    assert sorted(str(t.payload) for t in work(db, name)) == ["1", "2", "{'a': 1}", "{'a': 2}"]
    assert [status for _, status, _ in runs_of(db, name)] == ["done"] * 3
    assert db.one("select started_at > now() - interval '1 minute' from orchestra.run where id = %s", at)


def test_a_delay_of_the_workload_counts_for_its_runs(db: RuntimeDb) -> None:
    name = pipeline(db, step("a"), delay_ms=60_000)
    run = db.send(name)
    assert run_of(db, run) == ("waiting", None)
    assert work(db, name) == []
    db.make_visible(name)
    work(db, name)
    assert run_of(db, run) == ("done", None)


def test_runs_that_are_debounced_are_one_run_with_the_last_input(db: RuntimeDb) -> None:
    name = pipeline(db, step("a"), debounce_ms=60_000, debounce_key="id")
    first = db.send(name, '{"id": 1, "n": 1}')
    assert db.send(name, '{"id": 1, "n": 2}') == first
    other = db.send(name, '{"id": 2, "n": 3}')
    assert runs_of(db, name) == [
        (first, "waiting", {"id": 1, "n": 2}),
        (other, "waiting", {"id": 2, "n": 3}),
    ]
    db.make_visible(name)
    assert sorted(t.payload["n"] for t in work(db, name)) == [2, 3]
    # A run that has begun takes no more.
    assert db.send(name, '{"id": 1, "n": 4}') not in (first, other)


def test_a_key_that_was_enqueued_already_answers_the_run_that_it_began(db: RuntimeDb) -> None:
    name = pipeline(db, step("a"), idempotency_key="id", idempotency_ttl_ms=60_000)
    run = db.send(name, '{"id": 1}')
    assert db.send(name, '{"id": 1}') == run
    assert db.one("select orchestra.send(%s, '{}', idempotency_key => '1')", name) == run
    work(db, name)
    assert db.send(name, '{"id": 1}') == run
    assert len(runs_of(db, name)) == 1


def test_many_payloads_are_many_runs_and_a_rolled_back_send_is_none(db: RuntimeDb) -> None:
    name = pipeline(db, step("a"))
    with db.connect(autocommit=False) as connection:
        connection.execute("select orchestra.send(%s, '0')", (name,))
        connection.rollback()
    db.send_many(name, 5)
    runs = runs_of(db, name)
    assert [i for _, _, i in runs] == [1, 2, 3, 4, 5]
    assert sorted(t.run or 0 for t in work(db, name)) == [r for r, _, _ in runs]


def test_no_payloads_are_no_runs(db: RuntimeDb) -> None:
    name = pipeline(db, step("a"))
    assert db.one("select orchestra.send_many(%s, '{}')", name) == []
    assert db.one("select orchestra.send_many(%s, '{}', delay => '1 hour')", name) == []
    assert runs_of(db, name) == []


def test_a_long_line_of_runs_that_are_due_is_worked_off_run_by_run(db: RuntimeDb) -> None:
    """A worker begins about as many as it works on, whatever is waiting behind them."""
    name = pipeline(db, step("a"), step("b", "a"))
    db.run(
        "select orchestra.send_many(%s, array(select to_jsonb(i) from generate_series(1, 300) i), '1 hour')",
        name,
    )
    db.make_visible(name)
    worker = db.worker(name)
    turn = worker.turn(10)
    assert len(turn.given) == 10
    assert [s for _, s, _ in runs_of(db, name)].count("running") in range(10, 21)
    second = worker.turn(10, ack=turn.ids)
    assert len(second.given) == 10
    worker.leave(second.ids)
    work(db, name, 50)
    assert {status for _, status, _ in runs_of(db, name)} == {"done"}
    assert len(runs_of(db, name)) == 300


def test_a_paused_pipeline_takes_runs_which_wait(db: RuntimeDb) -> None:
    name = pipeline(db, step("a"), paused=True)
    run = db.send(name)
    assert db.worker(name).verdict == "paused"
    db.run("select orchestra.resume(%s, %s)", PROJECT, name)
    work(db, name)
    assert run_of(db, run) == ("done", None)


def test_a_request_at_the_door_begins_a_run_for_each_item(db: RuntimeDb) -> None:
    name = pipeline(db, step("a"), max_items=10)
    verdict, run, ids = db.enqueue(name, [{"n": 1}], caller="someone")
    assert (verdict, ids) == ("go", [str(run)])
    verdict, none, ids = db.enqueue(name, [2, 3], caller="someone")
    assert (verdict, none) == ("go", None)
    assert [str(r) for r, _, _ in runs_of(db, name)] == [str(run), *ids]
    assert db.rows("select distinct caller from orchestra.run where workload = %s", name) == [("someone",)]
    assert [t.payload for t in work(db, name)] == [{"n": 1}, 2, 3]


@pytest.mark.parametrize(
    ("overlap", "expected"),
    [
        ("skip", ["enqueued", "skipped", "skipped"]),
        ("buffer_one", ["enqueued", "enqueued", "skipped"]),
        ("allow", ["enqueued"] * 3),
    ],
)
def test_a_schedule_begins_runs_and_looks_at_those_that_go_on(
    db: RuntimeDb, overlap: str, expected: list[str]
) -> None:
    name = pipeline(db, step("a"), step("b", "a"))
    db.schedule(name, every_ms=100, overlap=overlap)

    def fire() -> str:
        time.sleep(0.11)
        db.fire(name)
        return str(
            db.one(
                "select outcome from orchestra.fired where workload = %s order by scheduled_for desc limit 1",
                name,
            )
        )

    assert fire() == expected[0]
    # Between two steps nothing of the run may be in the queue: it is the run that goes on.
    db.run(f"delete from pgmq.q_{name}")
    assert [fire(), fire()] == expected[1:]
    runs = runs_of(db, name)
    assert len(runs) == expected.count("enqueued")
    assert set(runs[0][2]) == {"scheduled_for"}
    assert db.rows(
        "select count(*) from orchestra.fired where workload = %s and run is not null and msg_id is null",
        name,
    ) == [(len(runs),)]
    for run, _, _ in runs:
        db.run("select orchestra.cancel_run(%s)", run)
    assert fire() == "enqueued"


def test_a_schedule_of_a_workload_that_has_become_a_pipeline_still_knows_its_messages(db: RuntimeDb) -> None:
    """Messages and runs have numbers of their own, which must not be taken for each other."""
    other = pipeline(db, step("a"))
    name = db.edge()
    db.schedule(name, every_ms=100)
    db.fire(name)
    [(message,)] = db.rows("select msg_id from orchestra.fired where workload = %s", name)
    while db.send(other) < message:
        pass
    db.run("update orchestra.run set status = 'running' where id = %s", message)  # of somebody else
    work(db, name)
    db.alter(name, steps=json.dumps([step("a")]))
    time.sleep(0.11)
    db.fire(name)
    assert db.rows(
        "select outcome from orchestra.fired where workload = %s order by scheduled_for", name
    ) == [
        ("enqueued",),
        ("enqueued",),
    ]


def test_each_row_of_a_statement_begins_a_run_in_its_transaction(db: RuntimeDb) -> None:
    name = pipeline(db, step("load"), step("store", "load"))
    db.run("drop table if exists public.docs")
    db.run("create table public.docs (id int primary key, body text)")
    db.run(
        "create trigger t after insert on public.docs referencing new table as orchestra_new "
        f"for each statement execute function orchestra.on_table_change('{PROJECT}', '{name}', 'key', '[]')"
    )
    with db.connect(autocommit=False) as connection:
        connection.execute("insert into public.docs values (9)")
        connection.rollback()
    db.run("insert into public.docs select i from generate_series(1, 3) i")
    runs = runs_of(db, name)
    assert [(status, i["op"], i["key"]) for _, status, i in runs] == [
        ("running", "insert", {"id": n}) for n in (1, 2, 3)
    ]
    handled = work(db, name)
    assert len(handled) == 6
    assert {status for _, status, _ in runs_of(db, name)} == {"done"}
    debounced = pipeline(db, step("load"), debounce_ms=60_000)
    db.run("create table if not exists public.notes (id int primary key)")
    db.run(
        "create trigger t after insert on public.notes referencing new table as orchestra_new "
        f"for each statement execute function orchestra.on_table_change('{PROJECT}', '{debounced}', 'key', '[]')"
    )
    db.run("insert into public.notes select i from generate_series(1, 3) i")
    [(_, status, last)] = runs_of(db, debounced)
    assert (status, last["key"]) == ("waiting", {"id": 3})
    db.run("drop table public.docs, public.notes")


def test_a_plain_message_begins_a_run_of_a_pipeline_in_sql(db: RuntimeDb) -> None:
    name = sql_pipeline(
        db, step("a", sql="select ($1 ->> 'n')::int + 1"), step("b", "a", sql="select ($1 ->> 'a')::int * 10")
    )
    db.run("select pgmq.send(%s, '{\"n\": 4}'::jsonb)", name)
    db.drain(name)
    [(run, status, _)] = runs_of(db, name)
    assert status == "done"
    assert db.rows("select step, result from orchestra.task where run = %s order by 1", run) == [
        ("a", 5),
        ("b", 50),
    ]


def test_a_queue_without_headers_refuses_runs_and_says_what_they_need(db: RuntimeDb) -> None:
    """As pgmq before 1.5 is."""
    name = pipeline(db, *MAPPED)
    db.drop_headers(name)
    with pytest.raises(psycopg.Error, match="takes no headers") as caught:
        db.send(name)
    assert caught.value.diag.message_hint == "Headers need pgmq 1.5 or later."


def test_a_run_that_was_planned_by_somebody_else_begins_once(db: RuntimeDb) -> None:
    """Its message may be there twice, as after a restore of a queue."""
    name = pipeline(db, step("a"))
    run = db.one("select orchestra.send(%s, '1', delay => '1 hour')", name)
    db.run(
        f"insert into pgmq.q_{name} (vt, message, headers) select now(), message, headers from pgmq.q_{name}"
    )
    db.make_visible(name)
    assert [(t.step, t.run) for t in work(db, name)] == [("a", run)]
    assert queued(db, name) == []
    assert db.dead(name) == []
