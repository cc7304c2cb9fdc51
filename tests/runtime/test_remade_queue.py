"""A queue that was dropped and is made again: nobody takes its messages for those of the old one."""

from __future__ import annotations

import json

import pytest

from runtime.pipelines import MAPPED, pipeline
from runtime.runtime_db import PROJECT, RuntimeDb


def claim(db: RuntimeDb, name: str, type: str = "standard", *, adopt: bool = False) -> None:
    applied = json.dumps({"name": name, "type": type})
    db.run(
        "select orchestra.claim(%s, %s, %s, %s, adopt => %s)", PROJECT, f"queue.{name}", name, applied, adopt
    )


def remake(db: RuntimeDb, name: str, type: str = "standard") -> None:
    """As an apply does where the queue is to be of another type, or where somebody has dropped it."""
    claim(db, name, adopt=True)
    db.run("select orchestra.drop_queue(%s)", name)
    claim(db, name, type)
    db.run(f"select pgmq.create{'_unlogged' if type == 'unlogged' else ''}(%s)", name)


def test_its_ids_are_new_ones_each_time(db: RuntimeDb) -> None:
    name = db.queue()
    seen = [db.send(name)]
    for _ in range(3):
        remake(db, name)
        seen += [db.send(name), db.send(name)]
    assert seen == sorted(set(seen))
    assert seen[-1] < 2**53  # as JavaScript counts
    assert db.depth(name) == 2


def test_a_first_queue_counts_from_one(db: RuntimeDb) -> None:
    name = db.queue()
    db.run("select orchestra.drop_queue(%s)", name)
    claim(db, name)
    db.run("select pgmq.create(%s)", name)
    assert db.send(name) == 1


@pytest.mark.parametrize(("type", "persistence"), [("standard", "p"), ("unlogged", "u")])
def test_it_is_of_the_type_that_is_wanted(db: RuntimeDb, type: str, persistence: str) -> None:
    name = db.queue()
    remake(db, name, type)
    assert (
        db.one("select relpersistence from pg_class where oid = %s::regclass", f"pgmq.q_{name}")
        == persistence
    )


def test_a_key_that_waited_in_the_old_one_takes_no_place_in_the_new_one(db: RuntimeDb) -> None:
    name = db.queue(debounce_ms=60_000, debounce_key="key")

    def send(key: str) -> int:
        return db.send(name, json.dumps({"key": key}))

    assert [send(key) for key in "xya"] == [1, 2, 3]
    remake(db, name)
    sent = [send(key) for key in "bcda"]
    assert len(set(sent)) == 4
    assert db.rows(f"select message ->> 'key' from pgmq.q_{name} order by msg_id") == [(k,) for k in "bcda"]


def test_a_report_about_the_old_one_settles_nothing_of_the_new_one(db: RuntimeDb) -> None:
    name = db.edge(concurrency=20, per_worker=10)
    db.send_many(name, 2)
    old = db.worker(name)
    held = old.turn(10).ids
    remake(db, name)
    db.send_many(name, 2)
    new = db.worker(name)
    assert len(new.turn(10).ids) == 2
    assert sorted(old.turn(0, ack=held).late) == held
    assert db.depth(name) == 2


def test_runs_of_the_old_one_end(db: RuntimeDb) -> None:
    name = pipeline(db, *MAPPED)
    going_on, planned = db.send(name), db.send(name, delay="1 hour")
    remake(db, name)
    ended = db.rows("select id, status, error from orchestra.run where workload = %s order by id", name)
    why = "its queue was made anew, and its messages are gone"
    assert ended == [(going_on, "cancelled", why), (planned, "cancelled", why)]
    assert db.send(name) > planned
