"""Runs under many hands: joins fire once, nobody waits in a circle, and a backend that dies leaves all or nothing."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import psycopg
import pytest
from engines.waiting import eventually
from psycopg.types.json import Jsonb

from runtime.pipelines import (
    MAPPED,
    TOLERANT,
    Task,
    mapped,
    pipeline,
    queued,
    run_of,
    settle,
    sql_pipeline,
    step,
    steps_of,
    take,
    tasks_of,
    work,
)
from runtime.runtime_db import RuntimeDb, Worker

ENGINES = ("embedded", "pg17", "pg15")


def test_fifty_workers_that_finish_at_once_and_repeat_it_start_the_next_step_once(db: RuntimeDb) -> None:
    """Guarantee 10."""
    name = pipeline(db, *MAPPED, concurrency=50, per_worker=1, batch_size=1)
    for _ in range(3):
        run, first = mapped(db, name, range(50))
        first.leave()
        workers = [db.worker(name) for _ in range(50)]
        held = {w.slot: take(w, 1)[0] for w in workers}
        assert len({t.id for t in held.values()}) == 50

        def finish(connection: psycopg.Connection[Any], worker: Worker, held: dict[int, Any] = held) -> None:
            task = held[worker.slot]
            report: dict[str, Any] = {"ack": [task.id], "results": {str(task.id): task.payload}}
            worker.turn(0, **report, connection=connection)
            worker.turn(0, **report, seq=worker.seq, connection=connection)  # the reply was lost
            assert worker.turn(0, **report, connection=connection).late == [task.id]

        db.at_once(*[lambda c, w=w: finish(c, w) for w in workers])
        assert queued(db, name) == [("publish", 0, {"render": list(range(50))})]
        assert steps_of(db, run)["render"] == ("done", 50, 50, 0)
        for worker in workers:
            worker.leave()
        work(db, name)
        assert run_of(db, run) == ("done", None)


def test_two_branches_that_finish_at_once_start_their_join_once_and_always(db: RuntimeDb) -> None:
    name = pipeline(
        db, step("left"), step("right"), step("join", "left", "right"), concurrency=2, per_worker=1
    )
    workers = [db.worker(name), db.worker(name)]
    for number in range(60):
        run = db.send(name, str(number))
        tasks = [take(w, 1)[0] for w in workers]

        def finish(connection: psycopg.Connection[Any], place: int, tasks: list[Any] = tasks) -> None:
            task = tasks[place]
            workers[place].turn(0, ack=[task.id], results={str(task.id): task.step}, connection=connection)

        db.at_once(lambda c: finish(c, 0), lambda c: finish(c, 1))
        [join] = take(workers[0])
        assert (join.step, join.payload) == ("join", {"left": "left", "right": "right"})
        workers[0].turn(0, ack=[join.id])
        assert run_of(db, run) == ("done", None)


def test_who_finishes_second_waits_for_the_first_and_sees_what_it_did(db: RuntimeDb) -> None:
    name = pipeline(
        db, step("left"), step("right"), step("join", "left", "right"), concurrency=2, per_worker=1
    )
    db.send(name)
    first, second = db.worker(name), db.worker(name)
    [a], [b] = take(first, 1), take(second, 1)
    with db.connect(autocommit=False) as slow, db.connect() as other:
        first.turn(0, ack=[a.id], connection=slow)
        with db.background(lambda: second.turn(0, ack=[b.id], connection=other)):
            db.wait_until_blocked(other)
            slow.commit()
    assert [row[0] for row in queued(db, name)] == ["join"]


def deal(spare: Worker, workers: list[Worker], batches: list[list[Task]]) -> None:
    """Sees to it that each worker is handed its batch of what the spare one holds."""
    for worker, batch in zip(workers, batches, strict=True):
        for task in batch:
            spare.turn(0, back=[task.id])
        assert {t.id for t in take(worker, len(batch))} == {t.id for t in batch}


@pytest.mark.parametrize("crossed", [False, True])
def test_batches_that_end_two_branches_at_once_do_not_deadlock(db: RuntimeDb, crossed: bool) -> None:
    """Each of two workers has a branch to itself; or ends one with its batch, and has one of the other branch in it."""
    name = pipeline(
        db,
        step("source"),
        step("left", map="source"),
        step("right", map="source"),
        step("join", "left", "right"),
        concurrency=3,
        per_worker=1,
    )
    workers = [db.worker(name), db.worker(name)]
    spare = db.worker(name)
    for _ in range(25):
        run = db.send(name)
        [source] = take(spare)
        settle(spare, source, [0, 1])
        at = {(t.step, t.i): t for t in take(spare)}
        batches = [[at["left", 1], at["left", 0]], [at["right", 0], at["right", 1]]]
        if crossed:
            batches = [[at["right", 1], at["left", 0]], [at["left", 1], at["right", 0]]]
        deal(spare, workers, batches)

        def finish(connection: psycopg.Connection[Any], place: int, batches: list[Any] = batches) -> None:
            workers[place].turn(0, ack=[t.id for t in batches[place]], connection=connection)

        db.at_once(lambda c: finish(c, 0), lambda c: finish(c, 1))
        [join] = take(spare)
        assert join.step == "join"
        spare.turn(0, ack=[join.id])
        assert run_of(db, run)[0] == "done"


@pytest.mark.parametrize("crossed", [False, True])
def test_batches_that_end_two_runs_at_once_do_not_deadlock(db: RuntimeDb, crossed: bool) -> None:
    """Each of two workers has a run to itself; or acknowledges tasks of one run and fails tasks of the other, which is
    what the other worker does the other way round."""
    name = pipeline(
        db,
        step("source"),
        step("each", map="source", failure_policy="continue"),
        step("end", "each"),
        concurrency=3,
        per_worker=1,
        batch_size=20,
    )
    spare = db.worker(name)
    workers = [db.worker(name), db.worker(name)]
    for _ in range(25):
        one, two = runs = [db.send(name), db.send(name)]
        sources = take(spare)
        spare.turn(0, ack=[s.id for s in sources], results={str(s.id): [0, 1, 2, 3] for s in sources})
        at = {(t.run, t.i): t for t in take(spare)}
        places = [[(one, i) for i in range(4)], [(two, i) for i in range(3, -1, -1)]]
        if crossed:
            places = [[(one, 0), (one, 1), (two, 0), (two, 1)], [(two, 2), (two, 3), (one, 2), (one, 3)]]
        batches = [[at[place] for place in batch] for batch in places]
        deal(spare, workers, batches)

        def finish(connection: psycopg.Connection[Any], place: int, batches: list[Any] = batches) -> None:
            tasks = batches[place]
            workers[place].turn(
                0,
                ack=[t.id for t in tasks[:2]],
                fails=[{"id": str(t.id), "error": "no", "code": "ORC01"} for t in tasks[2:]],
                connection=connection,
            )

        db.at_once(lambda c: finish(c, 0), lambda c: finish(c, 1))
        ends = take(spare)
        assert [t.step for t in ends] == ["end", "end"]
        spare.turn(0, ack=[t.id for t in ends])
        assert {run_of(db, r)[0] for r in runs} == {"done"}


def test_a_claim_waits_for_no_run_that_somebody_else_holds(db: RuntimeDb) -> None:
    """It holds locks itself: what it would have to write about that run stays in the queue for the next claim."""
    name = pipeline(db, *MAPPED, max_attempts=1, concurrency=1)
    run = db.send(name)
    take(db.worker(name))
    planned = db.one("select orchestra.send(%s, '[]', delay => '1 hour')", name)
    db.release_leases(name)  # the task is without an attempt now, the planned run due
    with db.connect(autocommit=False) as other:
        other.execute("select from orchestra.run where id in (%s, %s) for update", (run, planned))
        worker = db.worker(name)
        assert take(worker, 1) == []
        assert db.depth(name) == 2
        other.rollback()
    assert [t.run for t in take(worker, 1)] == [planned]
    assert run_of(db, run)[0] == "failed"


def test_two_who_redrive_at_once_send_a_task_back_once(db: RuntimeDb) -> None:
    name = pipeline(db, *TOLERANT)
    run, worker = mapped(db, name, range(10))
    tasks = take(worker)
    worker.turn(0, fails=[{"id": str(t.id), "error": "no", "code": "ORC01"} for t in tasks[:9]])
    db.at_once(*[lambda c: c.execute("select orchestra.redrive(%s)", (name,))] * 6)
    assert steps_of(db, run)["render"] == ("running", 10, 0, 0)
    assert len(take(worker)) == 9


@pytest.mark.parametrize("table", ["task", "step", "run", "queue"])
def test_a_backend_that_is_killed_while_it_settles_leaves_all_or_nothing(db: RuntimeDb, table: str) -> None:
    """The last of a step: its task is written, then its step, the next step's message, and the run."""
    name = pipeline(db, step("a"), step("b", "a"))
    db.run(
        """create or replace function public.rest() returns trigger language plpgsql as $$
        begin
          if current_setting('test.rest', true) = tg_argv[0] then perform pg_sleep(30); end if;
          return null;
        end $$"""
    )
    relation = f"pgmq.q_{name}" if table == "queue" else f"orchestra.{table}"
    db.run(
        f"create trigger rest after insert or update on {relation} for each row execute function public.rest('{table}')"
    )
    try:
        run = db.send(name)
        worker = db.worker(name)
        [task] = take(worker)
        if table == "run":  # which is written at its end
            worker.turn(0, ack=[task.id])
            [task] = take(worker)
        before = (
            steps_of(db, run),
            run_of(db, run),
            queued(db, name),
            db.rows("select * from orchestra.task"),
        )
        report: dict[str, Any] = {"ack": [task.id], "results": {str(task.id): 1}}
        with db.connect() as doomed:
            doomed.execute(f"set test.rest = '{table}'")
            pid = doomed.info.backend_pid
            with db.background(lambda: worker.turn(0, **report, connection=doomed)):
                db.wait_for(
                    "select exists (select from pg_stat_activity where pid = %s and wait_event = 'PgSleep')",
                    pid,
                )
                db.terminate(pid)
        assert before == (
            steps_of(db, run),
            run_of(db, run),
            queued(db, name),
            db.rows("select * from orchestra.task"),
        )
        worker.held[task.id] = 1
        turn = worker.turn(0, **report, seq=worker.seq)
        assert (turn.verdict, turn.late) == ("go", [])
        worker.leave()
        work(db, name)
        assert run_of(db, run) == ("done", None)
    finally:
        db.run(f"drop trigger rest on {relation}")


def test_backends_in_sql_that_are_ended_at_any_moment_do_each_task_once_and_join_once(db: RuntimeDb) -> None:
    """Effect, answer, counters and the next step's message commit together, or not at all."""
    db.run("drop table if exists public.noted")
    db.run("create table public.noted (run bigint, step text, n int)")
    note = "with w as materialized (select pg_sleep(0.004)) insert into public.noted select {} from w returning n"
    name = sql_pipeline(
        db,
        step("collect", sql="select jsonb_agg(jsonb_build_array($1, i)) from generate_series(1, 40) i"),
        step("each", map="collect", sql=note.format("($1 ->> 0)::int, 'each', ($1 ->> 1)::int")),
        step(
            "end",
            "collect",
            "each",
            sql=note.format("($1 #>> '{collect,0,0}')::int, 'end', ($1 #>> '{each,39}')::int"),
        ),
        concurrency=3,
        max_attempts=100,
        backoff_initial_ms=1,
        backoff_max_ms=5,
    )
    runs = [db.send(name, str(n)) for n in range(5)]
    dice = random.Random(3)
    ended = 0
    with db.sql_workers(name, 3):
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            left = db.one("select count(*) from orchestra.run where id = any (%s) and status <> 'done'", runs)
            if not left:
                break
            pids = db.rows("select pid from orchestra.slot where workload = %s and pid is not null", name)
            if pids and ended < 30:
                db.run("select pg_terminate_backend(%s)", dice.choice(pids)[0])
                ended += 1
            time.sleep(0.02)
    assert ended >= 10
    assert [run_of(db, r) for r in runs] == [("done", None)] * 5
    assert db.rows(
        "select step, count(*), count(distinct (run, n)), min(n), max(n) from public.noted group by 1 order by 1"
    ) == [("each", 200, 200, 1, 40), ("end", 5, 5, 40, 40)]
    assert db.dead(name) == []


class Chaos:
    """Workers and operators that do anything at any time, until told to stop."""

    def __init__(self, db: RuntimeDb, names: list[str]) -> None:
        self.db = db
        self.names = names
        self.stop = threading.Event()
        self.errors: list[tuple[str | None, str]] = []
        self.runs: list[int] = []
        self.verbs = dict.fromkeys(("send", "cancel_run", "retry_run", "redrive"), 0)

    def loop(self, seed: int, act: Callable[[RuntimeDb, random.Random], None]) -> None:
        dice = random.Random(seed)
        with self.db.another() as own:
            while not self.stop.is_set():
                try:
                    act(own, dice)
                except psycopg.Error as error:
                    # An operator who comes too late is told so.
                    if error.sqlstate not in ("ORC24", "ORC26"):
                        self.errors.append((error.sqlstate, str(error)))

    def worker(self, own: RuntimeDb, dice: random.Random) -> None:
        worker = own.worker(dice.choice(self.names))
        if worker.verdict != "go":
            return
        report: dict[str, Any] = {}
        for _ in range(dice.randint(1, 8)):
            turn = worker.turn(dice.randint(0, 6), **report)
            if dice.random() < 0.1:
                turn = worker.turn(0, **report, seq=worker.seq)
            if turn.verdict != "go":
                return
            held = tasks_of(turn.given)
            report = {"ack": [], "fails": [], "back": [], "results": {}}
            if dice.random() < 0.05:
                return  # it died; its lease will end
            for task in held:
                what = dice.random()
                if what < 0.75:
                    report["ack"].append(task.id)
                    report["results"][str(task.id)] = list(range(dice.randint(0, 5)))
                elif what < 0.85:
                    report["back"].append(task.id)
                else:
                    code = "ORC01" if what < 0.90 else None
                    report["fails"].append({"id": str(task.id), "error": "no", "code": code})
            worker.extend()
        worker.turn(0, **report)
        worker.leave()

    def operator(self, own: RuntimeDb, dice: random.Random) -> None:
        run = dice.choice(self.runs[-15:]) if self.runs else None
        verb = dice.choice(["send", "send", "cancel_run", "retry_run", "retry_run", "redrive", "redrive"])
        if verb == "send" and len(self.runs) < 400:
            self.runs.append(own.send(dice.choice(self.names), "[1]"))
        elif verb == "redrive":
            own.run("select orchestra.redrive(%s)", dice.choice(self.names))
        elif run is not None and verb in ("cancel_run", "retry_run"):
            own.run(f"select orchestra.{verb}(%s)", run)
        else:
            return
        self.verbs[verb] += 1


@pytest.mark.parametrize("seed", [1, 2])
def test_whatever_happens_at_once_nothing_deadlocks_and_every_run_ends_as_it_should(
    db: RuntimeDb, seed: int
) -> None:
    told = db.edge(debounce_ms=60_000)
    shape = Jsonb(
        [
            step("source"),
            step("left", map="source", failure_policy="continue"),
            step("right", map="source"),
            step("mid", "source", failure_policy="continue"),
            step("join", "left", "right", "mid"),
        ]
    )
    names = [
        db.edge(
            steps=shape,
            concurrency=6,
            per_worker=2,
            max_attempts=2,
            visibility_timeout_ms=1_000,
            on_failure=told,
            retention_completed_ms=3_600_000,
        )
        for _ in range(2)
    ]
    chaos = Chaos(db, names)
    loops = [lambda n=n: chaos.loop(seed * 100 + n, chaos.worker) for n in range(5)]
    loops += [lambda n=n: chaos.loop(seed * 100 + 50 + n, chaos.operator) for n in range(2)]
    with db.background(*loops) as ended:
        time.sleep(2.5)
        with suppress(AssertionError):  # told below
            eventually(lambda: chaos.verbs["send"] > 20 and min(chaos.verbs.values()) > 5, within=20)
        chaos.stop.set()
    assert (chaos.errors, ended) == ([], [])
    assert chaos.verbs["send"] > 20
    assert min(chaos.verbs.values()) > 5

    # Now everybody does what they should.
    for name in names:
        db.release_leases(name)
        db.run("update orchestra.slot set token = null where workload = %s", name)
    for _ in range(20):
        for run, status in db.rows("select id, status from orchestra.run where id = any (%s)", chaos.runs):
            if status in ("failed", "cancelled"):
                db.run("select orchestra.retry_run(%s)", run)
        for name in names:
            work(db, name, 50, source=lambda p: [1, 2, 3])
        if not db.one(
            "select exists (select from orchestra.run where id = any (%s) and status <> 'done')", chaos.runs
        ):
            break
    assert db.rows(
        "select status, count(*) from orchestra.run where id = any (%s) group by 1", chaos.runs
    ) == [("done", len(chaos.runs))]
    # What is counted is what is written down, each task once.
    assert (
        db.rows(
            """select s.run, s.step from orchestra.step s
            left join lateral (
              select count(*) filter (where not failed) as done, count(*) filter (where failed) as failed
              from orchestra.task t where t.run = s.run and t.step = s.step
            ) t on true
            where s.run = any (%s)
              and (s.status, s.done, s.failed) is distinct from ('done', t.done::int, t.failed::int)""",
            chaos.runs,
        )
        == []
    )
    for name in names:
        assert db.depth(name) == 0
        # A task was sent once for each attempt, if it was not redriven, and never finished twice.
        assert (
            db.rows(
                f"select headers -> 'orchestra', count(*) from pgmq.a_{name} group by 1 having count(*) > 1"
            )
            == []
        )
        # A join is given an answer of each element that its source had.
        assert (
            db.rows(
                f"""select a.message from pgmq.a_{name} a
                join orchestra.task t on t.run = (a.headers #>> '{{orchestra,run}}')::bigint and t.step = 'source'
                where a.headers #>> '{{orchestra,step}}' = 'join'
                  and (jsonb_array_length(a.message -> 'left') <> jsonb_array_length(t.result)
                       or jsonb_array_length(a.message -> 'right') <> jsonb_array_length(t.result))"""
            )
            == []
        )
