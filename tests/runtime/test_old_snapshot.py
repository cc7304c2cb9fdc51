"""A transaction that somebody forgot to end: what has been handled cannot be cleared away, and the work goes on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import psycopg
import pytest

from runtime.functions_double import tell_secrets
from runtime.runtime_db import PROJECT, RuntimeDb

ENGINES = ("embedded", "pg17")
CALLS = True
DELAYED, ROUNDS, FRESH = 200_000, 4, 1_500

# A claim that hands nothing out, so that each look finds the same.
CLAIM = "select p.ids from orchestra.workload w, orchestra.pick_messages(w, 10, false) p where w.name = '{}'"
TICK = "select orchestra.tick_workload('{}', '{}')"


@pytest.fixture
def busy(db: RuntimeDb) -> str:
    """A queue in which very many messages wait for tomorrow."""
    tell_secrets(db)
    name = db.edge(concurrency=20, per_worker=10)
    db.run(
        f"insert into pgmq.q_{name} (vt, message) "
        "select now() + interval '1 day' + i * interval '1 ms', '{}' from generate_series(1, %s::int) i",
        DELAYED,
    )
    db.run(f"analyze pgmq.q_{name}")
    return name


@contextmanager
def old_snapshot(db: RuntimeDb, name: str) -> Iterator[psycopg.Connection[tuple[int]]]:
    """Another session's transaction that goes on seeing the queue as it is now."""
    with db.connect(autocommit=False) as idle:
        idle.execute("set transaction isolation level repeatable read")
        assert idle.execute(f"select count(*) from pgmq.q_{name}").fetchone() == (DELAYED,)
        yield idle
        assert idle.execute(f"select count(*) from pgmq.q_{name}").fetchone() == (DELAYED,)


def drain(db: RuntimeDb, name: str, handled: list[int]) -> None:
    """A worker that takes turns until nothing comes any more."""
    with db.another() as own:
        worker = own.worker(name)
        ids = worker.turn(10).ids
        while ids:
            handled += ids
            ids = worker.turn(10, ack=ids).ids
        worker.leave()


def pages(db: RuntimeDb, name: str) -> tuple[int, int]:
    """What a claim of ten looks at, and what a tick does, where fewer wait."""
    db.send_many(name, 3)
    looked = db.pages(CLAIM.format(name)), db.pages(TICK.format(PROJECT, name))
    drain(db, name, [])
    return looked


def test_an_old_snapshot_stops_nothing_and_costs_by_what_was_handled_since(db: RuntimeDb, busy: str) -> None:
    """Each message that was handled leaves its index entries, which every look for work passes until the snapshot
    goes. Measured: 12 pages more a claim and 17 more a tick for each thousand, and none for those that wait."""
    claim, tick = pages(db, busy)
    assert max(claim, tick) < 100
    more = 50
    with old_snapshot(db, busy):
        for _ in range(ROUNDS):
            ids = db.one(
                "select orchestra.send_many(%s, array(select to_jsonb(i) from generate_series(1, %s) i))",
                busy,
                FRESH,
            )
            assert db.pages(CLAIM.format(busy)) <= claim + more
            handled: list[int] = []
            with db.background(*[partial(drain, db, busy, handled)] * 2) as errors:
                pass
            assert errors == []
            assert sorted(handled) == sorted(ids)
            more += FRESH // 25
            now_claim, now_tick = pages(db, busy)
            assert now_claim <= claim + more
            assert now_tick <= tick + more
    assert db.rows(f"select count(*), max(read_ct) from pgmq.q_{busy}") == [(DELAYED, 0)]
    assert db.dead(busy) == []
    # The entries go as they are met.
    now_claim, now_tick = pages(db, busy)
    assert now_claim <= claim + 15
    assert now_tick <= tick + 15
