"""What operators do with runs: cancel them, try them again, send single tasks back. Plain fan-outs have runs, too."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from runtime.pipelines import (
    MAPPED,
    TOLERANT,
    fail,
    fails_at,
    fan_out,
    mapped,
    outcome,
    pipeline,
    queued,
    run_of,
    step,
    steps_of,
    take,
    tasks_of,
    work,
)
from runtime.runtime_db import RuntimeDb

ENGINES = ("embedded", "pg17", "pg15")


def letters(db: RuntimeDb, name: str) -> list[tuple[int, bool]]:
    """Dead letters, and whether they have been sent back."""
    return db.rows(
        "select id, redriven_at is not null from orchestra.dead_letter where workload = %s order by id", name
    )


def log_of(db: RuntimeDb, name: str) -> list[tuple[str, Any]]:
    return db.rows("select verb, detail from orchestra.operator_log where workload = %s order by id", name)


# Cancelling


def test_a_cancelled_run_goes_no_further_and_its_handlers_are_told(db: RuntimeDb) -> None:
    name = pipeline(db, *MAPPED)
    run, worker = mapped(db, name, [1, 2, 3])
    [running] = take(worker, 1)
    assert worker.extend() == []
    assert db.one("select orchestra.cancel_run(%s)", run) is True
    assert db.one("select orchestra.cancel_run(%s)", run) is False
    status, error = run_of(db, run)
    assert (status, error) == ("cancelled", f"cancelled by {db.one('select session_user')}")
    assert [row[0] for row in steps_of(db, run).values()] == ["done", "cancelled", "cancelled"]
    assert worker.extend() == [running.id]
    assert worker.turn(10, ack=[running.id]).given == []
    assert db.depth(name) == 0
    assert steps_of(db, run)["render"] == ("cancelled", 3, 0, 0)
    assert log_of(db, name) == [
        ("cancel_run", {"run": run, "ended": True}),
        ("cancel_run", {"run": run, "ended": False}),
    ]


def test_a_run_that_has_not_begun_can_be_cancelled(db: RuntimeDb) -> None:
    name = pipeline(db, *MAPPED)
    run = db.one("select orchestra.send(%s, '{}', delay => '1 hour')", name)
    assert run_of(db, run) == ("waiting", None)
    assert db.one("select orchestra.cancel_run(%s)", run) is True
    db.make_visible(name)
    assert work(db, name) == []
    assert db.depth(name) == 0
    assert run_of(db, run)[0] == "cancelled"


def test_what_is_sent_after_a_cancel_does_not_join_the_cancelled_run(db: RuntimeDb) -> None:
    name = pipeline(db, *MAPPED, debounce_ms=60_000)
    run = db.send(name, "1")
    assert db.send(name, "2") == run
    db.run("select orchestra.cancel_run(%s)", run)
    other = db.send(name, "3")
    assert other != run
    db.make_visible(name)
    assert [t.payload for t in work(db, name, collect=lambda p: [])] == [3, {"render": []}]
    assert run_of(db, other) == ("done", None)


def test_a_run_that_is_not_there_is_an_error(db: RuntimeDb) -> None:
    for verb in ("cancel_run", "retry_run"):
        with pytest.raises(psycopg.Error, match="there is no run 999999") as caught:
            db.run(f"select orchestra.{verb}(999999)")
        assert caught.value.sqlstate == "ORC25"


def test_a_run_of_a_removed_workload_cannot_be_tried_again(db: RuntimeDb) -> None:
    name = pipeline(db, step("a"))
    run = db.send(name)
    db.run("select orchestra.cancel_run(%s)", run)
    db.run("delete from orchestra.workload where name = %s", name)
    with pytest.raises(psycopg.Error, match=f"there is no workload {name} any more") as caught:
        db.run("select orchestra.retry_run(%s)", run)
    assert caught.value.sqlstate == "ORC20"


# Trying again


def test_a_run_that_is_tried_again_does_only_what_has_not_been_done(db: RuntimeDb) -> None:
    name = pipeline(db, *MAPPED)
    run, worker = mapped(db, name, "abcd")
    tasks = {t.payload: t for t in take(worker)}
    worker.turn(0, **outcome([tasks["a"], tasks["d"]], {}))
    worker.turn(0, back=[tasks["b"].id], **outcome([tasks["c"]], {"render": fail}))
    worker.leave()
    assert run_of(db, run) == ("failed", "step render failed: no")
    assert steps_of(db, run)["render"] == ("failed", 4, 2, 1)
    db.run("select orchestra.retry_run(%s)", run)
    assert run_of(db, run) == ("running", None)
    assert steps_of(db, run)["render"] == ("running", 4, 2, 0)
    assert steps_of(db, run)["publish"][0] == "waiting"
    handled = work(db, name, render=str.upper)
    assert sorted((t.i, t.payload) for t in handled[:2]) == [(1, "b"), (2, "c")]
    assert [t.payload for t in handled[2:]] == [{"render": ["a", "B", "C", "d"]}]
    assert run_of(db, run) == ("done", None)
    assert letters(db, name) == [(letters(db, name)[0][0], True)]
    assert log_of(db, name) == [("retry_run", {"run": run})]


def test_each_task_of_a_run_that_is_tried_again_has_all_its_attempts(db: RuntimeDb) -> None:
    name = pipeline(db, step("a"), max_attempts=2)
    run = db.send(name)
    for _ in range(2):
        for attempt in (1, 2):
            worker = db.worker(name)
            turn = worker.turn(10)
            assert [m[2] for m in turn.given] == [attempt]
            worker.turn(0, fails=[{"id": str(turn.ids[0]), "error": "no", "code": None}])
            worker.leave()
        assert run_of(db, run) == ("failed", "step a failed: no")
        db.run("select orchestra.retry_run(%s)", run)


def test_what_an_earlier_attempt_still_has_under_way_counts_nothing(db: RuntimeDb) -> None:
    name = pipeline(db, *MAPPED, concurrency=20)
    run, old = mapped(db, name, [1, 2, 3, 4])
    one, two, three = take(old, 3)
    old.turn(0, fails=[{"id": str(one.id), "error": "no", "code": "ORC01"}])
    db.run("select orchestra.retry_run(%s)", run)
    # The fourth of the first attempt is still queued, and vanishes; the second and third are still under way.
    assert sorted(old.extend()) == sorted([two.id, three.id])
    new = db.worker(name)
    tasks = take(new)
    assert sorted((t.i, t.payload) for t in tasks) == [(0, 1), (1, 2), (2, 3), (3, 4)]
    assert {one.id, two.id, three.id}.isdisjoint(t.id for t in tasks)
    assert old.turn(0, ack=[two.id], results={str(two.id): "old"}).late == []
    old.turn(0, fails=[{"id": str(three.id), "error": "old", "code": "ORC01"}])
    assert steps_of(db, run)["render"] == ("running", 4, 0, 0)
    assert run_of(db, run) == ("running", None)
    new.turn(0, ack=[t.id for t in tasks], results={str(t.id): "new" for t in tasks})
    assert queued(db, name) == [("publish", 0, {"render": ["new"] * 4})]


def test_a_cancelled_run_can_be_taken_up_again(db: RuntimeDb) -> None:
    name = pipeline(db, *MAPPED)
    run, worker = mapped(db, name, [1, 2])
    worker.leave()
    db.run("select orchestra.cancel_run(%s)", run)
    db.run("select orchestra.retry_run(%s)", run)
    assert [t.payload for t in work(db, name)] == [1, 2, {"render": [1, 2]}]
    never_begun = db.one("select orchestra.send(%s, '[5]', delay => '1 hour')", name)
    db.run("select orchestra.cancel_run(%s)", never_begun)
    db.run("select orchestra.retry_run(%s)", never_begun)
    db.make_visible(name)
    handled = work(db, name)
    assert [t.step for t in handled] == ["collect", "render", "publish"]
    assert handled[0].payload == [5]
    assert run_of(db, never_begun) == ("done", None)


def test_null_stays_in_the_place_of_what_failed_in_a_step_that_has_been_joined(db: RuntimeDb) -> None:
    """Its task is no task of the next attempt: what came after it has seen the null already."""
    name = pipeline(db, *TOLERANT, step("end", "publish", "render"))
    run = db.send(name)
    work(db, name, collect=lambda p: [1, 2, 3], render=fails_at(2), publish=fail)
    assert run_of(db, run) == ("failed", "step publish failed: no")
    db.run("select orchestra.retry_run(%s)", run)
    handled = work(db, name)
    assert [(t.step, t.payload) for t in handled] == [
        ("publish", {"render": [1, None, 3]}),
        ("end", {"publish": {"render": [1, None, 3]}, "render": [1, None, 3]}),
    ]
    # And its letter still says that nobody has done it.
    assert [redriven for _, redriven in letters(db, name)] == [False, True]


def test_only_a_run_that_has_failed_or_been_cancelled_can_be_tried_again(db: RuntimeDb) -> None:
    name = pipeline(db, step("a"))
    run = db.send(name)
    for status in ("running", "done"):
        with pytest.raises(psycopg.Error, match=f"run {run} is {status}") as caught:
            db.run("select orchestra.retry_run(%s)", run)
        assert caught.value.sqlstate == "ORC26"
        assert "Only a run that has failed or been cancelled" in str(caught.value.diag.message_hint)
        work(db, name)


# Sending single tasks back


def test_a_task_can_be_sent_back_while_its_step_goes_on(db: RuntimeDb) -> None:
    name = pipeline(db, *TOLERANT)
    run, worker = mapped(db, name, [1, 2, 3])
    tasks = take(worker)
    worker.turn(0, **outcome(tasks[:2], {"render": fail}))
    assert steps_of(db, run)["render"] == ("running", 3, 0, 2)
    (first, _), (second, _) = letters(db, name)
    assert db.one("select orchestra.redrive(%s, array[%s::bigint])", name, first) == 1
    assert steps_of(db, run)["render"] == ("running", 3, 0, 1)
    assert letters(db, name) == [(first, True), (second, False)]
    [again] = take(worker)
    assert (again.payload, again.i) == (tasks[0].payload, tasks[0].i)
    report = outcome([again, tasks[2]], {})
    [publish] = tasks_of(worker.turn(10, **report).given)
    assert publish.payload == {"render": [None if i == tasks[1].i else i + 1 for i in range(3)]}
    # The step is joined now.
    with pytest.raises(
        psycopg.Error, match=f"dead letter {second} belongs to run {run}, which goes on"
    ) as caught:
        db.run("select orchestra.redrive(%s, array[%s::bigint])", name, second)
    assert caught.value.sqlstate == "ORC24"
    assert caught.value.diag.message_hint == f"Try the run again: select orchestra.retry_run({run})"
    assert db.one("select orchestra.redrive(%s)", name) == 0
    assert letters(db, name) == [(first, True), (second, False)]


def test_a_task_of_a_run_that_has_ended_is_not_sent_back(db: RuntimeDb) -> None:
    name = pipeline(db, *MAPPED)
    run = db.send(name)
    work(db, name, collect=fail)
    [(letter, _)] = letters(db, name)
    with pytest.raises(psycopg.Error, match="belongs to run"):
        db.run("select orchestra.redrive(%s, array[%s::bigint])", name, letter)
    db.run("select orchestra.retry_run(%s)", run)
    assert db.one("select orchestra.redrive(%s)", name) == 0
    assert [t.step for t in work(db, name, collect=lambda p: [])] == ["collect", "publish"]


def test_letters_that_nobody_takes_back_do_not_stand_in_the_way_of_others(db: RuntimeDb) -> None:
    name = pipeline(db, *TOLERANT)
    for _ in range(3):
        db.send(name)
        work(db, name, collect=fail)
    run, worker = mapped(db, name, [1, 2, 3])
    worker.turn(0, **outcome(take(worker, 2), {"render": fail}))
    assert db.one("select orchestra.redrive(%s, at_most => 1)", name) == 1
    assert db.one("select orchestra.redrive(%s, at_most => 1)", name) == 1
    assert steps_of(db, run)["render"] == ("running", 3, 0, 0)


# Plain fan-outs


def test_the_items_of_a_request_are_counted(db: RuntimeDb) -> None:
    name = db.edge(max_items=100)
    run = fan_out(db, name, 25)
    assert steps_of(db, run) == {"items": ("running", 25, 0, 0)}
    worker = db.worker(name)
    tasks = take(worker)
    assert {(t.run, t.step) for t in tasks} == {(run, None)}
    worker.turn(0, ack=[t.id for t in tasks])
    worker.leave()
    assert steps_of(db, run) == {"items": ("running", 25, 10, 0)}
    work(db, name)
    assert steps_of(db, run) == {"items": ("done", 25, 25, 0)}
    assert run_of(db, run) == ("done", None)
    assert db.one("select count(*) from orchestra.task where run = %s", run) == 0


def test_chunks_of_one_request_are_one_run_and_one_item_alone_is_none(db: RuntimeDb) -> None:
    name = db.edge(max_items=100)
    with db.main.transaction():
        _, run, _ = db.enqueue(name, [1, 2], total=4)
        _, same, _ = db.enqueue(name, [3, 4], run=run, total=4)
    assert run == same is not None
    assert sorted(t.payload for t in work(db, name)) == [1, 2, 3, 4]
    assert steps_of(db, run) == {"items": ("done", 4, 4, 0)}
    _, none, _ = db.enqueue(name, [1])
    assert none is None
    assert db.rows("select headers from pgmq.q_" + name) == [(None,)]


def test_a_request_with_failed_items_has_failed_and_all_of_them_can_be_sent_back(db: RuntimeDb) -> None:
    name = db.edge(max_items=100)
    run = fan_out(db, name, 10)
    work(db, name, item=fails_at(2, 3, 4))
    assert run_of(db, run) == ("failed", "3 of 10 items failed")
    assert steps_of(db, run) == {"items": ("done", 10, 7, 3)}
    assert db.one("select orchestra.redrive(%s, at_most => 1)", name) == 1
    assert run_of(db, run) == ("running", None)
    assert steps_of(db, run) == {"items": ("running", 10, 7, 2)}
    assert [t.payload for t in work(db, name)] == [2]
    assert run_of(db, run) == ("failed", "2 of 10 items failed")
    db.run("select orchestra.retry_run(%s)", run)
    assert sorted(t.payload for t in work(db, name, item=fails_at(4))) == [3, 4]
    assert run_of(db, run) == ("failed", "1 of 10 items failed")
    [*_, (last, _)] = letters(db, name)
    assert db.one("select orchestra.redrive(%s, array[%s::bigint])", name, last) == 1
    work(db, name)
    assert run_of(db, run) == ("done", None)
    assert steps_of(db, run) == {"items": ("done", 10, 10, 0)}


def test_items_of_a_cancelled_request_vanish_and_cannot_be_tried_again(db: RuntimeDb) -> None:
    name = db.edge(max_items=100)
    run = fan_out(db, name, 30)
    worker = db.worker(name)
    tasks = take(worker)
    worker.turn(0, **outcome(tasks[:4], {}))
    worker.turn(0, **outcome(tasks[4:5], {"item": fail}))
    assert db.one("select orchestra.cancel_run(%s)", run) is True
    assert sorted(worker.extend()) == sorted(t.id for t in tasks[5:])
    assert worker.turn(10, ack=[t.id for t in tasks[5:]]).given == []
    assert db.depth(name) == 0
    assert steps_of(db, run) == {"items": ("cancelled", 30, 4, 1)}
    with pytest.raises(psycopg.Error, match="its items are gone"):
        db.run("select orchestra.retry_run(%s)", run)
    assert db.one("select orchestra.redrive(%s)", name) == 0


def test_items_in_sql_are_counted_too(db: RuntimeDb) -> None:
    name = db.queue("select 1 / ($1::int - 3)", max_items=100, contract="c1", max_attempts=1)
    run = fan_out(db, name, 5)
    db.drain(name)
    assert run_of(db, run) == ("failed", "1 of 5 items failed")
    db.alter(name, sql="select $1, $2, $3")
    db.run("select orchestra.retry_run(%s)", run)
    db.drain(name)
    assert run_of(db, run) == ("done", None)


def test_an_item_that_a_rate_limit_drops_is_a_failed_one(db: RuntimeDb) -> None:
    """Or its run would never end."""
    name = db.edge(max_items=100, rate_limit=2, rate_period_ms=60_000, rate_on_excess="drop")
    run = fan_out(db, name, 5)
    work(db, name)
    assert run_of(db, run) == ("failed", "3 of 5 items failed")
    assert steps_of(db, run) == {"items": ("done", 5, 2, 3)}
    assert db.depth(name) == 0


def test_the_items_of_a_request_outlive_its_run(db: RuntimeDb) -> None:
    """Dead letters are kept for longer than runs; then they come again as plain messages."""
    name = db.edge(max_attempts=1, max_items=10)
    db.enqueue(name, [1, 2])
    worker = db.worker(name)
    for _ in range(2):
        ids = worker.turn(1).ids
        worker.turn(0, fails=[{"id": str(i), "error": "no", "code": "ORC01"} for i in ids])
    worker.leave()
    db.run(
        "update orchestra.run set started_at = now() - interval '100 days', finished_at = now() - interval '100 days' "
        "where workload = %s",
        name,
    )
    db.housekeep()
    assert db.rows("select from orchestra.run where workload = %s", name) == []
    first, _ = (letter for letter, _ in letters(db, name))
    assert db.one("select orchestra.redrive(%s, array[%s::bigint])", name, first) == 1
    assert db.one("select orchestra.redrive(%s)", name) == 1
    worker = db.worker(name)
    ids = [i for _ in range(2) for i in worker.turn(1, ack=list(worker.held)).ids]
    worker.turn(0, ack=ids[-1:])
    assert (len(ids), db.depth(name)) == (2, 0)
