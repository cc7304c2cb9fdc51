"""What the HTTP functions call: the ledger of calls behind an answer, and enqueueing the items of a request."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from psycopg.types.json import Jsonb

from runtime.runtime_db import PROJECT, RuntimeDb

ENGINES = ("embedded", "pg17", "pg15")
STEPS = Jsonb([{"name": "only", "timeout_ms": 1000}])
_numbers = itertools.count(1)


def called(db: RuntimeDb, **columns: Any) -> str:
    """A workload whose calls are worked off behind the answer."""
    return db.insert_workload(
        f"c{next(_numbers)}",
        {"pattern": "wait_until", "handler": "edge", "contract": "c1", "timeout_ms": 10_000, **columns},
    )


def accept(db: RuntimeDb, name: str, payload: Any = None, contract: str = "c1") -> Any:
    """(verdict, call_id, timeout_ms)"""
    return db.rows(
        "select verdict, call_id, timeout_ms from orchestra.accept_v1(%s, %s, %s, %s)",
        PROJECT,
        name,
        contract,
        Jsonb(payload),
    )[0]


def settle(db: RuntimeDb, call: int, error: str | None = None, code: str | None = None) -> None:
    db.run("select orchestra.settle_v1(%s, %s, %s)", call, error, code)


def ledger(db: RuntimeDb, call: int) -> Any:
    """(status, error, code, whether it has an end)"""
    return db.rows(
        "select status, error, code, finished_at is not null from orchestra.call where id = %s", call
    )[0]


def overdue(db: RuntimeDb, call: int) -> None:
    db.run("update orchestra.call set due_at = now() - interval '1 second' where id = %s", call)


def progress(db: RuntimeDb, run: int) -> Any:
    """(status of the run, total, done, failed)"""
    return db.rows(
        "select r.status, s.total, s.done, s.failed from orchestra.run r join orchestra.step s on s.run = r.id "
        "where r.id = %s",
        run,
    )[0]


# The ledger


def test_a_call_is_in_the_ledger_until_its_end_is(db: RuntimeDb) -> None:
    name = called(db)
    verdict, call, timeout = accept(db, name, {"a": 1})
    assert (verdict, timeout) == ("go", 10_000)
    assert ledger(db, call) == ("running", None, None, False)
    assert db.rows(
        "select project, workload, contract, payload, round(extract(epoch from due_at - accepted_at))::int "
        "from orchestra.call where id = %s",
        call,
    ) == [(PROJECT, name, "c1", {"a": 1}, 40)]
    settle(db, call)
    assert ledger(db, call) == ("done", None, None, True)


def test_a_failure_is_kept_with_what_it_said(db: RuntimeDb) -> None:
    call = accept(db, called(db))[1]
    settle(db, call, "no such customer", "ORC01")
    assert ledger(db, call) == ("failed", "no such customer", "ORC01", True)
    long = accept(db, called(db))[1]
    settle(db, long, "x" * 20_000)
    assert len(ledger(db, long)[1]) == 8_000


def test_the_first_word_counts(db: RuntimeDb) -> None:
    name = called(db)
    done, failed = accept(db, name)[1], accept(db, name)[1]
    settle(db, done)
    settle(db, done, "too late")
    settle(db, failed, "no")
    settle(db, failed)
    assert ledger(db, done)[:2] == ("done", None)
    assert ledger(db, failed)[:2] == ("failed", "no")
    settle(db, 10**12)  # nothing is known of it


def test_a_call_of_which_nothing_is_heard_is_lost_and_said_to_be(db: RuntimeDb) -> None:
    name = called(db)
    silent, busy, ended = (accept(db, name)[1] for _ in range(3))
    settle(db, ended)
    for call in (silent, ended):
        overdue(db, call)
    said: list[str] = []
    with db.connect() as connection:
        connection.add_notice_handler(lambda d: said.append(str(d.message_primary)))
        connection.execute("call orchestra.housekeep(%s)", (PROJECT,))
    assert ledger(db, silent) == ("lost", "its isolate went away without a word", None, True)
    assert (ledger(db, busy)[0], ledger(db, ended)[0]) == ("running", "done")
    assert said == [f"orchestra: 1 calls of project {PROJECT} were lost"]


@pytest.mark.parametrize(("error", "status"), [(None, "done"), ("no", "failed")])
def test_lost_was_a_guess_and_a_late_word_goes_over_it(db: RuntimeDb, error: str | None, status: str) -> None:
    call = accept(db, called(db))[1]
    overdue(db, call)
    db.housekeep()
    assert ledger(db, call)[0] == "lost"
    settle(db, call, error)
    assert ledger(db, call) == (status, error, None, True)
    db.housekeep()
    assert ledger(db, call)[0] == status


def test_who_went_on_after_a_shutdown_knows_better_than_its_last_word(db: RuntimeDb) -> None:
    call = accept(db, called(db))[1]
    settle(db, call, "the isolate was shut down", "shutdown")
    assert ledger(db, call) == ("failed", "the isolate was shut down", "shutdown", True)
    settle(db, call)
    assert ledger(db, call) == ("done", None, None, True)
    settle(db, call, "too late", "shutdown")
    assert ledger(db, call) == ("done", None, None, True)


@pytest.mark.parametrize("what", ["project", "workload"])
def test_what_is_paused_accepts_no_calls(db: RuntimeDb, what: str) -> None:
    name = called(db)
    target = name if what == "workload" else None
    db.run("select orchestra.pause(%s, %s)", PROJECT, target)
    try:
        assert accept(db, name) == ("paused", None, 10_000)
    finally:
        db.run("select orchestra.resume(%s, %s)", PROJECT, target)
    assert accept(db, name)[0] == "go"
    assert db.one("select count(*) from orchestra.call where workload = %s", name) == 1


def test_what_is_not_there_or_something_else_is_unknown(db: RuntimeDb) -> None:
    for name in ("nobody", db.queue(), db.edge(), db.scheduled()):
        assert accept(db, name) == ("unknown", None, None)
    for name in ("nobody", called(db), db.scheduled()):
        assert db.enqueue(name, [1]) == ("unknown", None, None)


def test_who_accepts_a_call_tells_its_version(db: RuntimeDb) -> None:
    name = called(db)
    accept(db, name, contract="strange")
    assert db.rows("select contract from orchestra.contract where workload = %s", name) == []
    accept(db, name)
    assert db.rows("select contract from orchestra.contract where workload = %s", name) == [("c1",)]


def test_calls_go_after_their_time_but_never_while_they_run(db: RuntimeDb) -> None:
    usual, short = called(db), called(db, retention_completed_ms=3_600_000, retention_failed_ms=7_200_000)
    for name in (usual, short):
        db.run(
            "insert into orchestra.call (project, workload, accepted_at, due_at, finished_at, status) "
            "select %s, %s, now() - age, now() + interval '1 day', now() - age, status "
            "from unnest(array['done', 'failed', 'lost', 'running']) status, "
            "unnest(array['90 minutes', '3 hours', '8 days', '91 days']::interval[]) age",
            PROJECT,
            name,
        )
    db.housekeep()
    left = "select status, count(*)::int from orchestra.call where workload = %s group by 1"
    assert dict(db.rows(left, usual)) == {"done": 2, "failed": 3, "lost": 3, "running": 4}
    assert dict(db.rows(left, short)) == {"failed": 1, "lost": 1, "running": 4}


# The items of a request


def test_several_items_are_counted_together(db: RuntimeDb) -> None:
    name = db.edge(max_items=100)
    verdict, run, ids = db.enqueue(name, [{"n": i} for i in range(5)], caller="user-1")
    assert verdict == "go"
    assert db.rows(f"select m.msg_id::text, m.message, m.headers from pgmq.q_{name} m order by m.msg_id") == [
        (ids[i], {"n": i}, {"orchestra": {"run": run, "a": 1}}) for i in range(5)
    ]
    assert progress(db, run) == ("running", 5, 0, 0)
    assert db.one("select caller from orchestra.run where id = %s", run) == "user-1"
    worker = db.worker(name)
    held = worker.turn(10).ids
    worker.turn(0, ack=held[:2])
    assert progress(db, run) == ("running", 5, 2, 0)
    worker.turn(0, ack=held[2:])
    assert progress(db, run) == ("done", 5, 5, 0)
    assert db.one("select finished_at is not null from orchestra.run where id = %s", run)


def test_items_that_fail_for_good_are_counted_too(db: RuntimeDb) -> None:
    name = db.edge(max_items=100)
    _, run, _ = db.enqueue(name, [1, 2, 3])
    worker = db.worker(name)
    held = worker.turn(10).ids
    worker.turn(0, ack=held[:2], fails=[{"id": str(held[2]), "error": "no", "code": "ORC01"}])
    assert progress(db, run) == ("failed", 3, 2, 1)
    assert db.one("select error from orchestra.run where id = %s", run) == "1 of 3 items failed"


def test_chunks_are_one_request_in_one_transaction(db: RuntimeDb) -> None:
    name = db.edge(max_items=6)
    for ending in ("rollback", "commit"):
        with db.connect(autocommit=False) as connection:
            verdict, run, first = db.enqueue(name, [0, 1, 2], total=6, connection=connection)
            assert verdict == "go"
            again = db.enqueue(name, [3, 4], run=run, total=6, connection=connection)
            last = db.enqueue(name, [5], run=run, total=6, connection=connection)
            getattr(connection, ending)()
        assert {again[1], last[1]} == {run}
        if ending == "rollback":
            assert db.depth(name) == 0
            assert db.rows("select from orchestra.run where workload = %s", name) == []
    assert progress(db, run) == ("running", 6, 0, 0)
    assert db.rows(f"select m.msg_id::text, m.message from pgmq.q_{name} m order by m.msg_id") == list(
        zip([*first, *again[2], *last[2]], range(6), strict=True)
    )
    assert db.one(f"select count(distinct headers) from pgmq.q_{name}") == 1


def test_more_items_than_allowed_are_refused_and_nothing_is_sent(db: RuntimeDb) -> None:
    some, one = db.edge(max_items=3), db.edge()
    assert db.enqueue(some, [1, 2, 3, 4])[0] == "too_many"
    assert db.enqueue(some, [1], total=4)[0] == "too_many"
    assert db.enqueue(one, [1, 2]) == ("too_many", None, None)
    assert (db.depth(some), db.depth(one)) == (0, 0)
    assert (db.enqueue(some, [1, 2, 3])[0], db.enqueue(one, [1])[0]) == ("go", "go")


def test_one_item_is_a_message_without_a_run(db: RuntimeDb) -> None:
    name = db.edge(max_items=3)
    verdict, run, [ident] = db.enqueue(name, [{"a": 1}])
    assert (verdict, run) == ("go", None)
    assert db.rows(f"select msg_id::text, message, headers from pgmq.q_{name}") == [(ident, {"a": 1}, None)]


def test_no_items_are_nothing(db: RuntimeDb) -> None:
    name = db.edge(max_items=3)
    assert db.enqueue(name, []) == ("go", None, [])
    assert db.depth(name) == 0


def test_keys_hold_for_items_too(db: RuntimeDb) -> None:
    """There is no run then: some of its items may be of earlier requests."""
    once = db.edge(max_items=9, idempotency_key="id")
    _, run, ids = db.enqueue(once, [{"id": 1}, {"id": 2}, {"id": 1}])
    assert run is None
    assert ids[2] == ids[0] != ids[1]
    assert db.enqueue(once, [{"id": 2}, {"id": 3}])[2][0] == ids[1]
    assert db.depth(once) == 3

    last = db.edge(max_items=9, debounce_ms=60_000)
    _, run, ids = db.enqueue(last, [1, 2, 3])
    assert (run, len(set(ids))) == (None, 1)
    assert db.rows(f"select message from pgmq.q_{last}") == [(3,)]


def test_a_queue_without_headers_has_no_runs(db: RuntimeDb) -> None:
    """As of pgmq 1.4."""
    name = db.edge(max_items=9)
    db.drop_headers(name)
    verdict, run, ids = db.enqueue(name, [1, 2, 3])
    assert (verdict, run, len(ids)) == ("go", None, 3)
    assert db.depth(name) == 3


def test_each_item_of_a_pipeline_is_a_run(db: RuntimeDb) -> None:
    name = db.edge(max_items=9, steps=STEPS)
    _, run, ids = db.enqueue(name, [{"a": 1}], caller="user-2")
    assert ids == [str(run)]
    assert db.rows("select caller, input from orchestra.run where id = %s", run) == [("user-2", {"a": 1})]
    _, none, several = db.enqueue(name, [{"a": 2}, {"a": 3}])
    assert none is None
    assert db.rows(
        "select input from orchestra.run where id = any(%s) order by id", [int(i) for i in several]
    ) == [({"a": 2},), ({"a": 3},)]


def test_without_a_caller_it_is_the_role(db: RuntimeDb) -> None:
    name = db.edge(max_items=9)
    _, run, _ = db.enqueue(name, [1, 2])
    assert db.one("select caller from orchestra.run where id = %s", run) == "role:postgres_like"


def test_what_is_paused_takes_items(db: RuntimeDb) -> None:
    name = db.edge(paused=True, max_items=9)
    assert db.enqueue(name, [1, 2])[0] == "go"
    assert db.depth(name) == 2


def test_ten_thousand_items_in_chunks_are_one_request(db: RuntimeDb) -> None:
    name = db.edge(max_items=10_000)
    with db.connect(autocommit=False) as connection:
        run = None
        for chunk in range(10):
            run = db.enqueue(
                name,
                list(range(chunk * 1_000, chunk * 1_000 + 1_000)),
                run=run,
                total=10_000,
                connection=connection,
            )[1]
        connection.commit()
    assert db.depth(name) == 10_000
    assert db.rows("select total, done from orchestra.step where run = %s", run) == [(10_000, 0)]
    assert progress(db, run) == ("running", 10_000, 0, 0)
