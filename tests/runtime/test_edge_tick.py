"""The tick as the safety net of Edge-handled queues: what it costs, whom it calls, and whose trouble is whose."""

from __future__ import annotations

import json

import psycopg
import pytest

from runtime.functions_double import calls, take_calls, tell_secrets
from runtime.runtime_db import PROJECT, RuntimeDb

ENGINES = ("embedded", "pg17")
CALLS = True


@pytest.fixture(autouse=True)
def nothing_else(db: RuntimeDb) -> None:
    tell_secrets(db)
    db.run("truncate orchestra.workload cascade")
    db.run("delete from net.http_request_queue")


def all_calls(db: RuntimeDb) -> int:
    return int(db.one("select count(*) from net.http_request_queue"))


def unnoticed(db: RuntimeDb, name: str, count: int = 1) -> None:
    """Messages for which nobody has been called: a plain send of pgmq's."""
    db.run(f"select pgmq.send_batch('{name}', array(select '{{}}'::jsonb from generate_series(1, {count})))")


def test_an_hour_of_ticks_over_empty_and_paused_queues_calls_nobody(db: RuntimeDb) -> None:
    empty, paused = [db.edge() for _ in range(3)], db.edge()
    db.run("select orchestra.pause(%s, %s)", PROJECT, paused)
    unnoticed(db, paused, 10)
    delayed = db.edge()
    db.send(delayed, delay="1 day")
    running = db.edge()
    unnoticed(db, running)
    worker = db.worker(running)
    worker.turn(1)
    for _ in range(720):
        db.tick()
    assert all_calls(db) == 0
    db.run("select orchestra.pause(%s)", PROJECT)
    unnoticed(db, empty[0])
    for _ in range(10):
        db.tick()
    assert all_calls(db) == 0
    db.run("select orchestra.resume(%s)", PROJECT)
    db.tick()
    assert (all_calls(db), take_calls(db, empty[0])) == (1, 1)


def test_whatever_arrived_unnoticed_is_found(db: RuntimeDb) -> None:
    """By a plain pgmq.send, by its time, by a lease that ran out."""
    plain, due, lost = db.edge(), db.edge(), db.edge()
    unnoticed(db, plain)
    db.send(due, delay="1 hour")
    db.make_visible(due)
    unnoticed(db, lost)
    db.worker(lost).turn(1)
    db.tick()
    assert [take_calls(db, n) for n in (plain, due, lost)] == [1, 1, 0]
    db.release_leases(lost)
    db.tick()
    assert take_calls(db, lost) == 1


def test_as_many_are_called_as_there_is_work_for(db: RuntimeDb) -> None:
    name = db.edge(concurrency=8, per_worker=1, batch_size=10)
    unnoticed(db, name, 35)
    db.tick()
    assert take_calls(db, name) == 4
    many = db.edge(concurrency=3, per_worker=1, batch_size=10)
    unnoticed(db, many, 500)
    db.worker(many)
    db.tick()
    assert take_calls(db, many) == 2


def test_ticks_at_once_call_no_more_than_one_does(db: RuntimeDb) -> None:
    names = [db.edge(concurrency=4, per_worker=1, batch_size=10) for _ in range(5)]
    for _ in range(4):
        for name in names:
            unnoticed(db, name, 40)
        db.at_once(*[lambda c: c.execute("call orchestra.tick(%s, 1000)", (PROJECT,))] * 6)
        assert [take_calls(db, n) for n in names] == [4] * 5
        for name in names:
            worker = db.worker(name)
            worker.turn(0, ack=worker.turn(40).ids)
            worker.leave()


def test_another_intervals_tick_leaves_a_queue_alone(db: RuntimeDb) -> None:
    name = db.edge(poll_interval_ms=5_000)
    unnoticed(db, name)
    db.tick(1_000)
    assert calls(db, name) == []
    db.tick(5_000)
    assert take_calls(db, name) == 1


def test_one_queues_trouble_is_its_own(db: RuntimeDb) -> None:
    """Trap 7: locked, dropped, nonsense in its configuration, no secret; the twenty around them are served."""
    names = sorted(db.edge() for _ in range(24))
    locked, dropped, absurd, secretless = names[3], names[8], names[13], names[18]
    troubled = {locked, dropped, absurd, secretless}
    for name in names:
        unnoticed(db, name, 3)
    db.run("select orchestra.drop_queue(%s)", dropped)
    db.alter(absurd, batch_size=2_147_483_647, concurrency=2_147_483_647, per_worker=1)
    db.alter(secretless, url_secret=None)
    with db.connect(autocommit=False) as holder, db.connect() as ticker:
        holder.execute(f"lock table pgmq.q_{locked} in access exclusive mode")
        notices: list[str] = []
        ticker.add_notice_handler(lambda d: notices.append(str(d.message_primary)))
        ticker.execute("call orchestra.tick(%s, 1000)", (PROJECT,))
    assert [take_calls(db, n) for n in names if n not in troubled] == [1] * 20
    assert take_calls(db, absurd) == 1
    assert len(notices) == 2
    assert f"looking after {PROJECT}/{locked}: canceling statement due to lock timeout" in notices[0]
    assert f'relation "pgmq.q_{dropped}" does not exist' in notices[1]
    assert "is not in Vault" in db.one("select error from orchestra.wake where workload = %s", secretless)
    db.run("update orchestra.wake set last_at = last_at - interval '1 minute'")
    db.tick()
    assert take_calls(db, locked) == 1


def test_a_hundred_thousand_delayed_messages_cost_no_more_than_an_empty_queue(db: RuntimeDb) -> None:
    empty, full = db.edge(), db.edge()
    db.run(
        f"insert into pgmq.q_{full} (vt, message) "
        "select now() + interval '1 day' + i * interval '1 ms', '{}' from generate_series(1, 100000) i"
    )
    # As bad as statistics can be: they say that there is nothing in it.
    look = "select orchestra.tick_workload('{}', '{}')"
    on_empty = db.pages(look.format(PROJECT, empty))
    on_full = db.pages(look.format(PROJECT, full))
    assert on_full <= on_empty + 4
    db.run(f"analyze pgmq.q_{full}")
    assert db.pages(look.format(PROJECT, full)) <= on_empty + 4
    # With visible ones among them as many are read as could be handed out.
    db.run(f"update pgmq.q_{full} set vt = now() - interval '1 hour' where msg_id <= 20000")
    assert db.pages(look.format(PROJECT, full)) < on_empty + 150
    with db.connect() as connection:
        connection.execute("set enable_seqscan = off; set enable_sort = off; set enable_bitmapscan = off")
        plan = connection.execute(
            f"explain (format json) select from pgmq.q_{full} m where m.vt <= now() order by m.vt limit 10"
        ).fetchone()
    assert f"q_{full}_vt_idx" in json.dumps(plan)


def test_a_tick_leaves_no_lock_behind_that_a_call_has_needed(db: RuntimeDb) -> None:
    """A superfluous tick at the same time skips what is locked, and a sender does too."""
    name = db.edge()
    unnoticed(db, name)
    with db.connect(autocommit=False) as other:
        other.execute("select from orchestra.wake where workload = %s for update", (name,))
        db.run("set lock_timeout = '100ms'")
        try:
            db.tick()
            db.send(name)
        except psycopg.errors.LockNotAvailable:
            pytest.fail("somebody waited for the lock of another one")
        finally:
            db.run("reset lock_timeout")
    assert calls(db, name) == []
    db.tick()
    assert take_calls(db, name) == 1
