"""Pipelines whose spec changes while runs go on: a run goes by the steps as they are, or fails and says why."""

from __future__ import annotations

import psycopg
import pytest
from psycopg.types.json import Jsonb

from runtime.pipelines import (
    MAPPED,
    TOLERANT,
    fail,
    fails_at,
    fan_out,
    mapped,
    pipeline,
    run_of,
    step,
    steps_of,
    take,
    work,
)
from runtime.runtime_db import RuntimeDb

ENGINES = ("embedded", "pg17", "pg15")


def change(db: RuntimeDb, name: str, *steps: dict[str, object]) -> None:
    db.alter(name, steps=Jsonb(steps))


def test_a_step_that_was_added_is_run_by_runs_that_have_not_got_there(db: RuntimeDb) -> None:
    name = pipeline(db, step("a"), step("c", "a"))
    run = db.send(name)
    change(db, name, step("a"), step("b", "a"), step("c", "a", "b"), step("d", "c"))
    assert [t.step for t in work(db, name, b=lambda p: "b")] == ["a", "b", "c", "d"]
    assert run_of(db, run) == ("done", None)
    assert list(steps_of(db, run)) == ["a", "b", "c", "d"]


def test_a_step_that_was_removed_before_it_began_is_skipped(db: RuntimeDb) -> None:
    name = pipeline(db, step("a"), step("b", "a"), step("c", "b"))
    run = db.send(name)
    change(db, name, step("a"), step("c", "a"))
    assert [(t.step, t.payload) for t in work(db, name, a=lambda p: 1)] == [("a", {}), ("c", {"a": 1})]
    assert run_of(db, run) == ("done", None)
    assert {s: row[0] for s, row in steps_of(db, run).items()} == {"a": "done", "b": "skipped", "c": "done"}


def test_a_step_that_comes_back_is_run_after_all(db: RuntimeDb) -> None:
    name = pipeline(db, step("a"), step("b", "a"), step("c", "a"), step("d", "b", "c"))
    run = db.send(name)
    worker = db.worker(name)
    [a] = take(worker)
    change(db, name, step("a"), step("c", "a"), step("d", "c"))
    worker.turn(0, ack=[a.id])
    worker.leave()
    assert steps_of(db, run)["b"][0] == "skipped"
    change(db, name, step("a"), step("b", "a"), step("c", "a"), step("d", "b", "c"))
    assert [t.step for t in work(db, name)] == ["c", "b", "d"]
    assert run_of(db, run) == ("done", None)


def test_a_step_that_was_removed_while_it_runs_fails_the_run_when_its_tasks_come_up(db: RuntimeDb) -> None:
    name = pipeline(db, *MAPPED)
    run = db.send(name)
    work_of_others = db.send(name, "1")
    worker = db.worker(name)
    sources = take(worker)
    worker.turn(0, ack=[s.id for s in sources[:1]], results={str(sources[0].id): [1, 2, 3]})
    [held] = take(worker, 1)
    assert (held.step, held.run) == ("render", run)
    change(db, name, step("collect"), step("paint", map="collect"), step("publish", "paint"))
    # The worker that knows the step still reports it; a worker that comes finds the rest.
    turn = worker.turn(10, ack=[held.id, sources[1].id], results={str(sources[1].id): [7]})
    assert (turn.verdict, turn.late, turn.given) == ("drain", [], [])
    worker.leave()
    worker = db.worker(name)
    turn = worker.turn(10)
    assert run_of(db, run) == ("failed", f"step render failed: workload {name} has no step render any more")
    worker.turn(0, back=turn.ids)
    worker.leave()
    # Runs that had not got there go by the new name.
    assert [t.step for t in work(db, name)] == ["paint", "publish"]
    assert run_of(db, work_of_others) == ("done", None)
    assert db.dead(name)[0][2:4] == ("permanent", f"workload {name} has no step render any more")
    # Tried again it goes by the new name too.
    db.run("select orchestra.retry_run(%s)", run)
    handled = work(db, name)
    assert [t.step for t in handled] == ["paint", "paint", "paint", "publish"]
    assert handled[-1].payload == {"paint": [1, 2, 3]}
    assert run_of(db, run) == ("done", None)
    assert steps_of(db, run)["render"][0] == "skipped"


def test_the_last_step_may_be_removed_while_the_one_before_it_runs(db: RuntimeDb) -> None:
    name = pipeline(db, step("a"), step("b", "a"))
    run = db.send(name)
    change(db, name, step("a"))
    work(db, name)
    assert run_of(db, run) == ("done", None)


def test_a_run_that_is_tried_again_goes_by_the_steps_as_they_are(db: RuntimeDb) -> None:
    name = pipeline(db, step("a"), step("b", "a"), step("c", "b"))
    run = db.send(name)
    work(db, name, b=fail)
    assert run_of(db, run) == ("failed", "step b failed: no")
    change(db, name, step("a"), step("c", "a"))
    db.run("select orchestra.retry_run(%s)", run)
    assert [t.step for t in work(db, name)] == ["c"]
    assert run_of(db, run) == ("done", None)


def test_a_step_that_becomes_a_mapped_one_or_ceases_to_be_breaks_nothing(db: RuntimeDb) -> None:
    name = pipeline(db, step("a"), step("b", "a"), step("c", "b"))
    run = db.send(name)
    worker = db.worker(name)
    [a] = take(worker)
    change(db, name, step("a"), step("b", map="a"), step("c", "b"))
    worker.turn(0, ack=[a.id], results={str(a.id): [1, 2]})
    worker.leave()
    change(db, name, step("a"), step("b", "a"), step("c", "b"))
    work(db, name)
    assert run_of(db, run)[0] == "done"


def test_a_pipeline_that_becomes_a_plain_queue_ends_its_runs_and_loses_no_input(db: RuntimeDb) -> None:
    name = pipeline(db, step("a"), step("b", "a"))
    run = db.send(name)
    planned = db.one("select orchestra.send(%s, '7', delay => '1 hour')", name)
    db.alter(name, steps=None)
    db.make_visible(name)
    db.send(name, "5")
    assert sorted((t.payload, t.run) for t in work(db, name)) == [(5, None), (7, None)]
    assert run_of(db, run) == ("failed", f"step a failed: workload {name} has no step a any more")
    assert run_of(db, planned) == (
        "cancelled",
        f"workload {name} is no pipeline any more: the input is a plain message",
    )
    assert db.depth(name) == 0


def test_items_of_a_request_are_not_lost_where_their_queue_becomes_a_pipelines(db: RuntimeDb) -> None:
    name = db.edge(max_items=10)
    run = fan_out(db, name, 2)
    db.send(name, "3")  # a plain one: the input of a run from now on
    change(db, name, step("a"))
    assert [(t.step, t.payload) for t in work(db, name)] == [("a", 3)]
    assert run_of(db, run) == ("failed", "2 of 2 items failed")
    assert {d[3] for d in db.dead(name)} == {
        f"workload {name} has become a pipeline, and this is an item of a request from before"
    }
    db.alter(name, steps=None)
    db.run("select orchestra.retry_run(%s)", run)
    assert sorted(t.payload for t in work(db, name)) == [1, 2]
    assert run_of(db, run) == ("done", None)


def test_settings_of_a_step_count_from_the_next_failure_on(db: RuntimeDb) -> None:
    name = pipeline(db, *MAPPED)
    run, worker = mapped(db, name, [1])
    worker.leave()
    change(db, name, *TOLERANT)
    work(db, name, render=fail)
    assert run_of(db, run) == ("done", None)


def test_attempts_that_were_lowered_count_for_tasks_too(db: RuntimeDb) -> None:
    name = pipeline(db, step("a"), max_attempts=5)
    run = db.send(name)
    for _ in range(2):
        assert len(take(db.worker(name))) == 1
        db.release_leases(name)
    db.alter(name, max_attempts=2)
    assert work(db, name) == []
    assert run_of(db, run)[0] == "failed"


def test_elements_of_a_source_that_was_replaced_are_all_done_anew(db: RuntimeDb) -> None:
    """What was done of them answers to elements that are no longer there."""
    name = pipeline(db, *MAPPED)
    run = db.send(name)
    work(db, name, collect=lambda p: ["o0", "o1", "o2"], render=fails_at("o2"))
    assert run_of(db, run)[0] == "failed"
    change(db, name, step("gather"), step("render", map="gather"), step("publish", "render"))
    db.run("select orchestra.retry_run(%s)", run)
    handled = work(db, name, gather=lambda p: ["n0", "n1", "n2"])
    assert [t.payload for t in handled if t.step == "publish"] == [{"render": ["n0", "n1", "n2"]}]
    assert run_of(db, run) == ("done", None)


def test_the_items_of_a_request_are_not_tried_again_as_a_pipeline(db: RuntimeDb) -> None:
    name = db.edge(max_items=2)
    run = fan_out(db, name, 2)
    work(db, name, item=fail)
    assert run_of(db, run)[0] == "failed"
    change(db, name, step("a"))
    with pytest.raises(psycopg.Error, match=f"workload {name} is a pipeline by now") as caught:
        db.run("select orchestra.retry_run(%s)", run)
    assert caught.value.sqlstate == "ORC26"
    assert run_of(db, run)[0] == "failed"
