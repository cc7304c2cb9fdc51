"""Runs of pipelines: their shapes, what each step is given, how tasks are counted, and what a failure does."""

from __future__ import annotations

from typing import Any

import pytest
from psycopg.types.json import Jsonb

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
    settle,
    step,
    steps_of,
    take,
    tasks_of,
    work,
)
from runtime.runtime_db import RuntimeDb

ENGINES = ("embedded", "pg17", "pg15")
DIAMOND = (
    step("source"),
    step("left", "source"),
    step("right", "source"),
    step("join", "left", "right"),
)


def test_steps_in_a_line_run_one_after_the_other_and_see_what_the_one_before_has_answered(
    db: RuntimeDb,
) -> None:
    name = pipeline(db, step("a"), step("b", "a"), step("c", "b"))
    run = db.send(name, '{"n": 1}')
    assert run_of(db, run) == ("running", None)
    assert queued(db, name) == [("a", 0, {"n": 1})]
    handled = work(db, name, a=lambda p: p["n"] + 1, b=lambda p: {"got": p["a"]})
    assert [(t.step, t.payload) for t in handled] == [
        ("a", {"n": 1}),
        ("b", {"a": 2}),
        ("c", {"b": {"got": 2}}),
    ]
    assert run_of(db, run) == ("done", None)
    assert steps_of(db, run) == dict.fromkeys("abc", ("done", 1, 1, 0))
    assert db.depth(name) == 0


def test_a_step_with_several_dependencies_waits_for_all_and_is_given_all_answers(db: RuntimeDb) -> None:
    name = pipeline(db, *DIAMOND)
    run = db.send(name, '"in"')
    handled = work(db, name, left=lambda p: "L", right=lambda p: None)
    assert [t.step for t in handled] == ["source", "left", "right", "join"]
    assert [t.payload for t in handled] == [
        "in",
        {"source": "in"},
        {"source": "in"},
        {"left": "L", "right": None},
    ]
    assert run_of(db, run) == ("done", None)


def test_steps_that_depend_on_nothing_all_begin_with_the_input(db: RuntimeDb) -> None:
    name = pipeline(db, step("a"), step("b"), step("c", "a", "b"))
    db.send(name, "[7]")
    assert queued(db, name) == [("a", 0, [7]), ("b", 0, [7])]
    assert work(db, name)[-1].payload == {"a": [7], "b": [7]}


def test_a_mapped_step_has_a_task_for_each_element_and_its_answers_keep_their_order(db: RuntimeDb) -> None:
    name = pipeline(db, *MAPPED)
    run = db.send(name)
    elements = [{"page": i} for i in range(25)]
    handled = work(db, name, collect=lambda p: elements, render=lambda p: p["page"] * 10)
    rendered = [(t.i, t.payload) for t in handled if t.step == "render"]
    assert sorted(rendered, key=str) == sorted(enumerate(elements), key=str)
    assert handled[-1].payload == {"render": [i * 10 for i in range(25)]}
    assert steps_of(db, run) == {
        "collect": ("done", 1, 1, 0),
        "render": ("done", 25, 25, 0),
        "publish": ("done", 1, 1, 0),
    }


def test_answers_keep_the_order_of_the_elements_whatever_order_they_come_in(db: RuntimeDb) -> None:
    name = pipeline(db, *MAPPED)
    _, worker = mapped(db, name, [3, 1, 2])
    tasks = take(worker)
    assert len(tasks) == 3
    for task in reversed(tasks):
        settle(worker, task, task.payload * 2)
    assert queued(db, name) == [("publish", 0, {"render": [6, 2, 4]})]


def test_a_mapped_step_may_map_a_mapped_step(db: RuntimeDb) -> None:
    name = pipeline(
        db,
        step("collect"),
        step("render", map="collect"),
        step("upload", map="render"),
        step("end", "upload"),
    )
    run = db.send(name)
    handled = work(
        db, name, collect=lambda p: [1, 2, 3], render=lambda p: [p, p], upload=lambda p: {"urls": p}
    )
    assert sorted((t.i, t.payload) for t in handled if t.step == "upload") == [
        (0, [1, 1]),
        (1, [2, 2]),
        (2, [3, 3]),
    ]
    assert handled[-1].payload == {"upload": [{"urls": [n, n]} for n in (1, 2, 3)]}
    assert run_of(db, run) == ("done", None)


def test_an_empty_map_is_done_at_once_and_so_is_what_maps_it(db: RuntimeDb) -> None:
    name = pipeline(db, step("collect"), step("a", map="collect"), step("b", map="a"), step("end", "b"))
    run = db.send(name)
    handled = work(db, name, collect=lambda p: [])
    assert [(t.step, t.payload) for t in handled] == [("collect", {}), ("end", {"b": []})]
    assert steps_of(db, run)["a"] == ("done", 0, 0, 0)
    assert run_of(db, run) == ("done", None)
    ends_with_it = pipeline(db, step("collect"), step("a", map="collect"))
    run = db.send(ends_with_it)
    work(db, ends_with_it, collect=lambda p: [])
    assert run_of(db, run) == ("done", None)


@pytest.mark.parametrize("answer", [None, {"a": 1}, "text", 7])
def test_mapping_what_is_no_array_fails_the_run_and_says_so(db: RuntimeDb, answer: Any) -> None:
    name = pipeline(db, *MAPPED)
    run = db.send(name)
    work(db, name, collect=lambda p: answer)
    assert run_of(db, run) == ("failed", "step render maps what step collect answered, which is no array")
    assert {s: row[0] for s, row in steps_of(db, run).items()} == {
        "collect": "done",
        "render": "failed",
        "publish": "cancelled",
    }
    assert db.depth(name) == 0


def test_a_step_that_answers_nothing_gives_null_to_those_after_it(db: RuntimeDb) -> None:
    name = pipeline(db, step("a"), step("b", "a"))
    db.send(name)
    worker = db.worker(name)
    [task] = take(worker)
    assert tasks_of(worker.turn(0, ack=[task.id], results=None).given) == []
    assert queued(db, name) == [("b", 0, {"a": None})]


def test_the_next_step_is_handed_out_in_the_turn_that_settles_the_last_one(db: RuntimeDb) -> None:
    """A run of three steps needs no more turns than steps, and one that tells of the last."""
    name = pipeline(db, step("a"), step("b", "a"), step("c", "b"))
    run = db.send(name)
    worker = db.worker(name)
    turn = worker.turn(10)
    for expected in ("a", "b", "c"):
        assert [t.step for t in tasks_of(turn.given)] == [expected]
        turn = worker.turn(10, ack=turn.ids)
    assert run_of(db, run) == ("done", None)


def test_each_message_of_a_mapped_step_carries_its_own_element_and_nothing_else(db: RuntimeDb) -> None:
    """Guarantee 10: no task reads the array. What is stored of it grows with the elements, not with their square."""
    name = pipeline(db, *MAPPED)
    elements = [{"n": i, "text": f"{i:04}" * 250} for i in range(200)]
    _, worker = mapped(db, name, elements)
    assert [row[2] for row in queued(db, name)] == elements
    assert db.one(f"select max(octet_length(message::text)) from pgmq.q_{name}") < 1_100
    # And nothing reads the array again: without it, all goes on as if it were there.
    worker.leave()
    db.run("update orchestra.task set result = '{\"never\": \"read\"}' where step = 'collect'")
    done = work(db, name, publish=lambda p: len(p["render"]))
    assert done[-1].payload == {"render": elements}


def test_counters_are_written_once_for_a_batch_done_and_failed_together(db: RuntimeDb) -> None:
    """Guarantee 10: each write of the row is a new version, whose number of updates tells."""
    db.run(
        """create or replace function public.count_write() returns trigger language plpgsql as $$
        begin insert into public.writes values (new.step); return new; end $$"""
    )
    db.run("drop table if exists public.writes")
    db.run("create table public.writes (step text)")
    db.run(
        "create trigger counted after update on orchestra.step for each row execute function public.count_write()"
    )
    try:
        name = pipeline(db, *TOLERANT, batch_size=50)
        run, worker = mapped(db, name, range(100))
        db.run("truncate public.writes")
        for _ in range(2):
            tasks = take(worker, 50)
            assert len(tasks) == 50
            report = outcome(tasks, {"render": fails_at(*range(0, 100, 5))})
            assert len(report["fails"]) == 10
            worker.turn(0, **report)
        assert steps_of(db, run)["render"] == ("done", 100, 80, 20)
        assert db.rows("select step, count(*) from public.writes group by 1 order by 1") == [
            ("publish", 1),
            ("render", 2),
        ]
        items = db.edge(batch_size=50, max_items=100)
        run = fan_out(db, items, 100)
        db.run("truncate public.writes")
        worker = db.worker(items)
        for _ in range(2):
            worker.turn(0, **outcome(take(worker, 50), {"item": fails_at(*range(0, 100, 5))}))
        assert steps_of(db, run)["items"] == ("done", 100, 81, 19)
        assert db.rows("select step, count(*) from public.writes group by 1") == [("items", 2)]
    finally:
        db.run("drop trigger counted on orchestra.step")


def test_a_turn_whose_reply_was_lost_counts_its_results_once(db: RuntimeDb) -> None:
    name = pipeline(db, *MAPPED)
    run = db.send(name)
    worker = db.worker(name)
    [task] = take(worker)
    turn = worker.turn(10, ack=[task.id], results={str(task.id): [1, 2, 3]})
    again = worker.turn(10, ack=[task.id], results={str(task.id): [4]}, seq=worker.seq)
    assert sorted(again.given) == sorted(turn.given)
    assert sorted(t.payload for t in tasks_of(again.given)) == [1, 2, 3]
    some = turn.ids[:2]
    for _ in range(3):
        worker.turn(0, ack=some, results={str(i): "x" for i in some}, seq=3)
    assert steps_of(db, run)["render"] == ("running", 3, 2, 0)
    assert worker.turn(0, ack=turn.ids[2:], seq=4).verdict == "go"
    assert steps_of(db, run)["publish"][:2] == ("running", 1)
    assert db.depth(name) == 1


def test_a_late_acknowledgement_counts_nothing(db: RuntimeDb) -> None:
    name = pipeline(db, *MAPPED, concurrency=20)
    run = db.send(name)
    old = db.worker(name)
    [collect] = take(old)
    db.release_leases(name)
    new = db.worker(name)
    [again] = take(new)
    assert again.id == collect.id
    turn = old.turn(0, ack=[collect.id], results={str(collect.id): ["old"]})
    assert turn.late == [collect.id]
    assert steps_of(db, run)["collect"] == ("running", 1, 0, 0)
    settle(new, again, ["new", "er"])
    assert [row[2] for row in queued(db, name)] == ["new", "er"]


def test_a_failed_task_ends_the_run_and_what_is_left_of_it_vanishes(db: RuntimeDb) -> None:
    name = pipeline(db, *DIAMOND[:1], step("left", map="source"), step("right", "source"), DIAMOND[3])
    run = db.send(name)
    other = db.send(name, "[0]")
    worker = db.worker(name)
    tasks = take(worker)
    answers = {run: [1, 2, 3, 4], other: [0]}
    worker.turn(0, ack=[t.id for t in tasks], results={str(t.id): answers[t.run] for t in tasks})
    tasks = take(worker, 3)
    assert {t.run for t in tasks} == {run}
    worker.turn(0, **outcome(tasks[:1], {"left": fail}))
    assert run_of(db, run) == ("failed", "step left failed: no")
    assert {s: row[0] for s, row in steps_of(db, run).items()} == {
        "source": "done",
        "left": "failed",
        "right": "cancelled",
        "join": "cancelled",
    }
    # Handlers that are running are told so when they renew their leases.
    assert sorted(worker.extend()) == sorted(t.id for t in tasks[1:])
    # What they report all the same is taken off the queue and counts nothing.
    assert worker.turn(0, ack=[t.id for t in tasks[1:]]).late == []
    assert steps_of(db, run)["left"] == ("failed", 4, 0, 1)
    worker.leave()
    # What is queued vanishes when it comes up, and holds up nobody.
    handled = work(db, name)
    assert {t.run for t in handled} == {other}
    assert db.depth(name) == 0
    assert [(d[2], d[3]) for d in db.dead(name)] == [("permanent", "no")]


def test_a_task_that_runs_out_of_attempts_fails_the_run_too(db: RuntimeDb) -> None:
    name = pipeline(db, *MAPPED, max_attempts=2)
    run = db.send(name)
    for _ in range(2):
        worker = db.worker(name)
        [task] = take(worker)
        worker.turn(0, fails=[{"id": str(task.id), "error": "broken", "code": None}])
        worker.leave()
    assert run_of(db, run) == ("failed", "step collect failed: broken")


def test_a_task_that_kills_its_workers_fails_the_run_when_it_comes_up_again(db: RuntimeDb) -> None:
    name = pipeline(db, *MAPPED, max_attempts=2)
    run = db.send(name)
    for _ in range(2):
        assert len(take(db.worker(name))) == 1
        db.release_leases(name)
    assert take(db.worker(name)) == []
    assert run_of(db, run) == ("failed", "step collect failed: its worker went away without a verdict")
    assert db.depth(name) == 0


def test_where_the_policy_is_to_continue_null_stands_in_the_place_of_what_failed(db: RuntimeDb) -> None:
    name = pipeline(
        db,
        step("collect"),
        step("render", map="collect", failure_policy="continue"),
        step("check", "collect", failure_policy="continue"),
        step("upload", map="render"),
        step("publish", "check", "upload"),
    )
    run = db.send(name)
    handled = work(db, name, collect=lambda p: [1, 2, 3, 4], render=fails_at(2, 4), check=fail)
    assert sorted((t.i, t.payload) for t in handled if t.step == "upload") == [
        (0, 1),
        (1, None),
        (2, 3),
        (3, None),
    ]
    assert handled[-1].payload == {"check": None, "upload": [1, None, 3, None]}
    assert run_of(db, run) == ("done", None)
    assert steps_of(db, run)["render"] == ("done", 4, 2, 2)
    assert steps_of(db, run)["check"] == ("done", 1, 0, 1)
    assert sorted(d[3] for d in db.dead(name)) == ["no", "no 2", "no 4"]


def test_mapping_what_failed_where_the_policy_is_to_continue_fails_the_run(db: RuntimeDb) -> None:
    name = pipeline(db, step("collect", failure_policy="continue"), *MAPPED[1:])
    run = db.send(name)
    work(db, name, collect=fail)
    assert run_of(db, run) == ("failed", "step render maps what step collect answered, which is no array")


def test_who_is_to_hear_of_failures_hears_of_those_of_tasks(db: RuntimeDb) -> None:
    told = db.edge()
    db.run("select pgmq.create('graveyard')")
    name = pipeline(
        db,
        step("collect"),
        step("render", map="collect", failure_policy="continue"),
        on_failure=told,
        dead_letter_queue="graveyard",
    )
    run = db.send(name)
    work(db, name, collect=lambda p: [1, 2, 3], render=fails_at(2))
    [letter] = db.rows("select id, headers from orchestra.dead_letter where workload = %s", name)
    assert letter[1]["orchestra"] == {"run": run, "a": 1, "step": "render", "i": 1}
    for queue in (told, "graveyard"):
        [notice] = db.rows(f"select message from pgmq.q_{queue}")
        assert notice[0]["payload"] == 2
        assert (notice[0]["dead_letter"], notice[0]["error"]) == (letter[0], "no 2")
    db.run("select pgmq.drop_queue('graveyard')")
    # A queue that is gone is no reason to keep the task.
    db.main.add_notice_handler(lambda d: None)
    second = db.send(name)
    work(db, name, collect=lambda p: [2], render=fail)
    assert run_of(db, second) == ("done", None)


def test_a_step_may_be_called_items(db: RuntimeDb) -> None:
    """As the one step of a plain request is."""
    name = pipeline(db, step("items"), step("each", map="items"), step("end", "each"))
    run = db.send(name)
    handled = work(db, name, items=lambda p: [1, 2])
    assert handled[-1].payload == {"each": [1, 2]}
    assert run_of(db, run) == ("done", None)
    failing = pipeline(db, step("items"), step("end", "items"))
    run = db.send(failing)
    work(db, failing, items=fail)
    assert run_of(db, run) == ("failed", "step items failed: no")


def test_a_plain_message_in_the_queue_of_a_pipeline_begins_a_run(db: RuntimeDb) -> None:
    """Of pgmq.send, or of the dashboard."""
    name = pipeline(db, step("a"), step("b", "a"))
    db.run("select pgmq.send(%s, '{\"n\": 5}'::jsonb)", name)
    handled = work(db, name, a=lambda p: p["n"])
    assert [(t.step, t.payload) for t in handled] == [("a", {"n": 5}), ("b", {"a": 5})]
    [(run,)] = db.rows("select id from orchestra.run where workload = %s", name)
    assert run_of(db, run) == ("done", None)
    assert db.one("select input from orchestra.run where id = %s", run) == {"n": 5}


@pytest.mark.parametrize(
    "headers",
    [
        '{"orchestra": 7}',
        '{"orchestra": {"run": "x"}}',
        '{"orchestra": {"run": 1e30, "a": 1}}',
        '{"a": 1}',
        "[]",
    ],
)
@pytest.mark.parametrize("kind", ["plain", "pipeline"])
def test_headers_that_others_have_written_break_no_worker(db: RuntimeDb, kind: str, headers: str) -> None:
    name = db.edge() if kind == "plain" else pipeline(db, step("a"))
    db.run(f"insert into pgmq.q_{name} (vt, message, headers) values (now(), '1', %s::jsonb)", headers)
    db.send(name, "2")
    assert sorted(t.payload for t in work(db, name)) == [1, 2]
    assert db.depth(name) == 0


def test_a_run_that_is_not_there_any_more_takes_its_tasks_with_it(db: RuntimeDb) -> None:
    name = pipeline(db, *MAPPED)
    run = db.send(name)
    db.run("delete from orchestra.run where id = %s", run)
    assert work(db, name) == []
    assert db.depth(name) == 0


def test_tasks_are_archived_where_completed_ones_are_kept(db: RuntimeDb) -> None:
    name = pipeline(db, *MAPPED, retention_completed_ms=60_000)
    run = db.send(name)
    work(db, name, collect=lambda p: [1, 2])
    assert run_of(db, run) == ("done", None)
    assert db.one(f"select count(*) from pgmq.a_{name}") == 4


def test_answers_that_are_too_large_to_be_joined_fail_the_run_and_break_no_worker(db: RuntimeDb) -> None:
    """A jsonb array ends at 256 MB. Faked, because such answers take a while."""
    name = pipeline(db, *MAPPED)
    run = db.send(name)
    with db.main.transaction(force_rollback=True):
        db.run(
            """create or replace function orchestra.step_payloads(
              target orchestra.workload, the_run orchestra.run, step jsonb) returns jsonb[]
            language plpgsql stable set search_path = '' as $$
            begin
              raise program_limit_exceeded using message = 'total size of jsonb array elements exceeds the maximum';
            end $$"""
        )
        worker = db.worker(name)
        [task] = take(worker)
        assert worker.turn(10, ack=[task.id], results={str(task.id): [1]}).verdict == "go"
        status, error = run_of(db, run)
        assert status == "failed"
        assert error == (
            "what step render is to be given is too large: total size of jsonb array elements exceeds the maximum"
        )


def test_thousands_of_tasks_of_an_ended_run_hold_up_nobody_for_long(db: RuntimeDb) -> None:
    """They leave in ever larger strides: a worker that looks for ten messages does not find ten at a time."""
    name = pipeline(db, *MAPPED)
    run, worker = mapped(db, name, range(5_000))
    assert db.one("select orchestra.cancel_run(%s)", run)
    other = db.send(name, '"next"')
    assert [(t.run, t.payload) for t in take(worker)] == [(other, "next")]
    assert db.depth(name) == 1


def test_a_pipeline_of_a_spec_in_json_takes_steps_in_any_form_that_the_compiler_writes(db: RuntimeDb) -> None:
    """Keys with a default may be missing or null."""
    bare = {"name": "a", "timeout_ms": 1_000}
    null = {"name": "b", "depends_on": ["a"], "timeout_ms": 1_000, "map": None, "failure_policy": None}
    name = db.edge(steps=Jsonb([bare, null]))
    run = db.send(name, "3")
    assert [t.payload for t in work(db, name)] == [3, {"a": 3}]
    assert run_of(db, run) == ("done", None)
    assert set(db.worker(name).config["steps"]) == {"a", "b"}
