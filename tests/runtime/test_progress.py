"""How far a run is, for those who asked for it and nobody else: rights, row security, and numbers that are true."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from psycopg import sql

from runtime.pipelines import MAPPED, fail, fails_at, fan_out, mapped, pipeline, step, take, work
from runtime.runtime_db import PROJECT, RuntimeDb, install_functions

ENGINES = ("embedded", "pg17", "pg15")
ALICE = "3f0e7f6e-0000-4000-8000-00000000a11c"
BOB = "3f0e7f6e-0000-4000-8000-000000000b0b"
PUBLIC_COLUMNS = "id, project, workload, status, caller, started_at, finished_at, error"


@pytest.fixture(autouse=True)
def no_readers(db: RuntimeDb) -> Iterator[None]:
    yield
    db.run("truncate orchestra.reader")
    db.run("select orchestra.grant_readers()")


def let_read(db: RuntimeDb, name: str, *roles: str) -> None:
    db.run("select orchestra.set_readers(%s, %s, %s)", PROJECT, name, list(roles))


@contextmanager
def as_caller(db: RuntimeDb, role: str, sub: str | None = None) -> Iterator[psycopg.Connection[Any]]:
    """A request as PostgREST makes it: the role and the verified claims, for one transaction."""
    claims = {"role": role, **({"sub": sub} if sub else {})}
    with db.connect() as connection:
        connection.execute("begin")
        connection.execute("select set_config('request.jwt.claims', %s, true)", (json.dumps(claims),))
        connection.execute(sql.SQL("set local role {}").format(sql.Identifier(role)))
        yield connection
        connection.execute("rollback")


def asked_by(db: RuntimeDb, name: str, sub: str) -> int:
    """A run that this user has asked for, at the door."""
    return int(db.enqueue(name, [{}], caller=sub)[1])


def progress(db: RuntimeDb, run: int, role: str, sub: str | None = None) -> Any:
    with as_caller(db, role, sub) as connection:
        row = connection.execute("select orchestra.run_progress(%s)", (run,)).fetchone()
        assert row is not None
        return row[0]


def seen(db: RuntimeDb, role: str, sub: str | None = None) -> list[int]:
    with as_caller(db, role, sub) as connection:
        rows = connection.execute("select id from orchestra.run order by id").fetchall()
        steps = connection.execute("select distinct run from orchestra.step order by run").fetchall()
    assert rows == steps
    return [r[0] for r in rows]


def test_who_asked_for_a_run_sees_it_and_nobody_else_does(db: RuntimeDb) -> None:
    name = pipeline(db, *MAPPED, max_items=5)
    let_read(db, name, "authenticated")
    hers, his = asked_by(db, name, ALICE), asked_by(db, name, BOB)
    assert seen(db, "authenticated", ALICE) == [hers]
    assert seen(db, "authenticated", BOB) == [his]
    assert seen(db, "authenticated") == []
    assert progress(db, hers, "authenticated", ALICE)["run"] == hers
    assert progress(db, hers, "authenticated", BOB) is None
    assert progress(db, 999_999, "authenticated", ALICE) is None


def test_a_reader_of_one_workload_sees_no_runs_of_another(db: RuntimeDb) -> None:
    name, other = pipeline(db, *MAPPED, max_items=5), pipeline(db, *MAPPED, max_items=5)
    let_read(db, name, "authenticated")
    let_read(db, other, "service_role")
    mine = asked_by(db, name, ALICE)
    assert asked_by(db, other, ALICE) != mine
    assert seen(db, "authenticated", ALICE) == [mine]


def test_anon_may_not_even_ask(db: RuntimeDb) -> None:
    name = pipeline(db, *MAPPED, max_items=5)
    let_read(db, name, "authenticated")
    run = asked_by(db, name, ALICE)
    for query in (
        f"select orchestra.run_progress({run})",
        "select id from orchestra.run",
        "select * from orchestra.step",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege), as_caller(db, "anon", ALICE) as connection:
            connection.execute(query)


def test_a_reader_sees_how_far_its_runs_are_and_nothing_else(db: RuntimeDb) -> None:
    """No input, no result, no other table, and nothing to write."""
    name = pipeline(db, *MAPPED, max_items=5)
    let_read(db, name, "authenticated")
    run = asked_by(db, name, ALICE)
    work(db, name, collect=lambda p: ["secret"])
    other_tables = db.rows(
        "select relname from pg_class where relnamespace = 'orchestra'::regnamespace and relkind = 'r' "
        "and relname not in ('run', 'step')"
    )
    assert len(other_tables) > 10
    forbidden = [
        "select input from orchestra.run",
        "select * from orchestra.run",
        "select attempt from orchestra.run",
        "update orchestra.run set caller = 'me'",
        "delete from orchestra.step",
        f"select orchestra.cancel_run({run})",
        f"select orchestra.retry_run({run})",
        f"select orchestra.send('{name}', '1')",
        *(f"select count(*) from orchestra.{table}" for (table,) in other_tables),
    ]
    for query in forbidden:
        with (
            pytest.raises(psycopg.errors.InsufficientPrivilege),
            as_caller(db, "authenticated", ALICE) as connection,
        ):
            connection.execute(query)
    with as_caller(db, "authenticated", ALICE) as connection:
        [row] = connection.execute(f"select {PUBLIC_COLUMNS} from orchestra.run").fetchall()
        assert row[:4] == (run, PROJECT, name, "done")


def test_a_role_that_is_no_reader_cannot_become_one_by_its_claims(db: RuntimeDb) -> None:
    """A function with more rights, as a team may have one, is told who really asks."""
    name = pipeline(db, *MAPPED, max_items=5)
    let_read(db, name, "service_role")
    run = asked_by(db, name, ALICE)
    db.run("grant usage on schema orchestra to authenticated")
    db.run("grant select on orchestra.run, orchestra.step to authenticated")
    try:
        assert seen(db, "authenticated", ALICE) == []
        assert progress(db, run, "authenticated", ALICE) is None
    finally:
        db.run("revoke all on orchestra.run, orchestra.step from authenticated")
        db.run("revoke usage on schema orchestra from authenticated")


def test_runs_that_were_asked_for_in_sql_belong_to_the_role_or_to_the_user_behind_it(db: RuntimeDb) -> None:
    name = pipeline(db, *MAPPED)
    let_read(db, name, "authenticated")
    db.run(
        f"create or replace function public.ask(payload jsonb) returns bigint language sql security definer "
        f"set search_path = '' as $$ select orchestra.send('{PROJECT}/{name}', payload) $$"
    )
    with db.connect() as connection:
        connection.execute(
            "select set_config('request.jwt.claims', %s, false)", (json.dumps({"sub": ALICE}),)
        )
        connection.execute("set role authenticated")
        row = connection.execute("select public.ask('1')").fetchone()
        assert row is not None
        hers = row[0]
        # A pooler's next request has other claims, or none.
        connection.execute("select set_config('request.jwt.claims', '', false)")
        row = connection.execute("select public.ask('1')").fetchone()
        assert row is not None
        roles_own = row[0]
    assert seen(db, "authenticated", ALICE) == [hers]
    # A request without a subject is anybody's: the runs of one such caller are not for the next.
    assert seen(db, "authenticated") == []
    with db.connect() as connection:
        connection.execute("set role authenticated")
        assert connection.execute("select id from orchestra.run").fetchall() == [(roles_own,)]
    assert db.one("select caller from orchestra.run where id = %s", roles_own) == "role:authenticated"


def test_a_role_inherits_what_another_may_read(db: RuntimeDb) -> None:
    db.run("create role app_user")
    db.run("create role app_admin inherit in role app_user")
    db.run("grant app_admin, app_user to current_user")
    name = pipeline(db, *MAPPED, max_items=5)
    let_read(db, name, "app_user")
    run = asked_by(db, name, ALICE)
    assert seen(db, "app_admin", ALICE) == [run]
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        seen(db, "authenticated", ALICE)


def test_readers_are_given_rights_and_lose_them_again(db: RuntimeDb) -> None:
    name, other = pipeline(db, *MAPPED, max_items=5), pipeline(db, *MAPPED, max_items=5)
    before = db.engine.pg_dump(["orchestra"])
    run = asked_by(db, name, ALICE)
    let_read(db, name, "authenticated")
    let_read(db, other, "authenticated")
    let_read(db, name)
    assert seen(db, "authenticated", ALICE) == []
    let_read(db, name, "authenticated", "service_role")
    let_read(db, other)
    assert seen(db, "authenticated", ALICE) == [run]
    let_read(db, name, "service_role")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        seen(db, "authenticated", ALICE)
    let_read(db, name)
    assert db.engine.pg_dump(["orchestra"]) == before


def test_installing_the_runtime_again_keeps_what_readers_may(db: RuntimeDb) -> None:
    name = pipeline(db, *MAPPED, max_items=5)
    let_read(db, name, "authenticated")
    run = asked_by(db, name, ALICE)
    before = db.engine.pg_dump(["orchestra"])
    for _ in range(2):
        with db.main.transaction():
            install_functions(db.main)
    assert db.engine.pg_dump(["orchestra"]) == before
    assert seen(db, "authenticated", ALICE) == [run]


def test_a_reader_whose_role_is_gone_blinds_no_other(db: RuntimeDb) -> None:
    name = pipeline(db, *MAPPED, max_items=5)
    db.run("create role short_lived")
    let_read(db, name, "short_lived", "authenticated")
    run = asked_by(db, name, ALICE)
    db.engine.execute("drop owned by short_lived")
    db.engine.execute("drop role short_lived")
    assert seen(db, "authenticated", ALICE) == [run]
    let_read(db, name, "authenticated")


def test_what_is_said_of_a_run(db: RuntimeDb) -> None:
    name = pipeline(
        db, step("collect"), step("render", map="collect", failure_policy="continue"), step("end", "render")
    )
    let_read(db, name, "authenticated")
    waiting = db.one("select orchestra.send(%s, '{}', delay => '1 hour')", name)
    assert db.one("select orchestra.run_progress(%s)", waiting) | {"started_at": None} == {
        "run": waiting,
        "workload": name,
        "status": "waiting",
        "started_at": None,
        "finished_at": None,
        "error": None,
        "total": 0,
        "done": 0,
        "failed": 0,
        "steps": [],
    }
    run, worker = mapped(db, name, [1, 2, 3, 4])
    tasks = take(worker)
    worker.turn(0, ack=[tasks[0].id], fails=[{"id": str(tasks[1].id), "error": "no", "code": "ORC01"}])
    said = db.one("select orchestra.run_progress(%s)", run)
    assert {
        k: said[k] for k in ("run", "workload", "status", "error", "finished_at", "total", "done", "failed")
    } == {
        "run": run,
        "workload": name,
        "status": "running",
        "error": None,
        "finished_at": None,
        "total": 5,
        "done": 2,
        "failed": 1,
    }
    assert [(s["step"], s["status"], s["total"], s["done"], s["failed"]) for s in said["steps"]] == [
        ("collect", "done", 1, 1, 0),
        ("render", "running", 4, 1, 1),
        ("end", "waiting", 0, 0, 0),
    ]
    assert set(said["steps"][0]) == {"step", "status", "total", "done", "failed", "started_at", "finished_at"}
    assert said["steps"][0]["finished_at"] >= said["steps"][0]["started_at"]
    assert said["steps"][2]["started_at"] is None
    worker.turn(0, ack=[t.id for t in tasks[2:]])
    worker.leave()
    work(db, name, end=fail)
    said = db.one("select orchestra.run_progress(%s)", run)
    assert (said["status"], said["error"]) == ("failed", "step end failed: no")
    assert said["finished_at"] >= said["started_at"]


def test_the_sums_are_true_at_any_moment(db: RuntimeDb) -> None:
    """Read again and again while workers settle: they only grow, never exceed the total, and end as what was done."""
    name = pipeline(
        db,
        step("collect"),
        step("render", map="collect", failure_policy="continue"),
        concurrency=3,
        per_worker=1,
        batch_size=7,
    )
    run, worker = mapped(db, name, range(600))
    worker.leave()
    ended = threading.Event()

    def crew() -> None:
        with db.another() as own:
            mine = own.worker(name)
            report: dict[str, Any] = {}
            while True:
                turn = mine.turn(7, **report)
                if not turn.given and not report.get("ack"):
                    break
                bad = [m for m in turn.given if m[3] % 10 == 0]
                report = {
                    "ack": [m[0] for m in turn.given if m not in bad],
                    "fails": [{"id": str(m[0]), "error": "no", "code": "ORC01"} for m in bad],
                }
            mine.leave()

    readings: list[tuple[int, int, int]] = []

    def read() -> None:
        with db.connect() as connection:
            while not ended.is_set():
                row = connection.execute("select orchestra.run_progress(%s)", (run,)).fetchone()
                assert row is not None
                render = row[0]["steps"][1]
                assert row[0]["done"] == render["done"] + 1
                readings.append((render["done"], render["failed"], render["total"]))
                time.sleep(0.002)

    def crews() -> None:
        try:
            with db.background(crew, crew, crew) as errors:
                pass
        finally:
            ended.set()
        assert errors == []

    with db.background(crews, read) as errors:
        pass
    assert errors == []
    assert readings == sorted(readings)
    assert {total for _, _, total in readings} == {600}
    assert len(set(readings)) > 5
    assert db.one("select orchestra.run_progress(%s)", run)["steps"][1] | {
        "started_at": 0,
        "finished_at": 0,
    } == {
        "step": "render",
        "status": "done",
        "total": 600,
        "done": 540,
        "failed": 60,
        "started_at": 0,
        "finished_at": 0,
    }
    assert db.one("select count(*) from orchestra.dead_letter where workload = %s", name) == 60


def test_progress_of_a_plain_request(db: RuntimeDb) -> None:
    name = db.edge(max_items=50)
    let_read(db, name, "authenticated")
    run = fan_out(db, name, 20, ALICE)
    work(db, name, item=fails_at(3))
    said = progress(db, run, "authenticated", ALICE)
    assert (said["status"], said["error"]) == ("failed", "1 of 20 items failed")
    assert (said["total"], said["done"], said["failed"]) == (20, 19, 1)
    assert [s["step"] for s in said["steps"]] == ["items"]
