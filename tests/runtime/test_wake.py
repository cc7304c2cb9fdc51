"""Waking workers: at the commit, when it is of use, and at nobody's expense."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest

from runtime.functions_double import KEY, URL, answer, calls, take_calls, tell_secrets
from runtime.runtime_db import PROJECT, RuntimeDb, Worker

ENGINES = ("embedded", "pg17")
CALLS = True
DAY = 86_400


@pytest.fixture(autouse=True)
def secrets(db: RuntimeDb) -> None:
    tell_secrets(db)


def wake(db: RuntimeDb, name: str) -> Any:
    return db.rows(
        "select misses, error from orchestra.wake where workload = %s and project = %s", name, PROJECT
    )[0]


def later(db: RuntimeDb, name: str, seconds: float) -> None:
    """As if so much time had passed since the last call."""
    db.run(
        "update orchestra.wake set last_at = last_at - %s * interval '1 second', "
        "entered_at = entered_at - %s * interval '1 second' where workload = %s",
        seconds,
        seconds,
        name,
    )


def look(db: RuntimeDb, name: str) -> None:
    """What a worker that has left asks for, and what the tick does for this workload alone."""
    db.run("select orchestra.look_v1(%s, %s)", PROJECT, name)


# What a call is


def test_a_message_calls_its_function_at_the_commit(db: RuntimeDb) -> None:
    name = db.edge()
    with db.connect(autocommit=False) as connection:
        connection.execute("select orchestra.send(%s, '{}')", (name,))
        assert connection.execute("select count(*) from net.http_request_queue").fetchone() == (0,)
        connection.commit()
    [call] = calls(db, name)
    assert (call.method, call.url) == ("POST", f"{URL}/{name}")
    assert call.headers == {"Content-Type": "application/json", "apikey": KEY, "x-orchestra": "wake"}
    assert call.body == {"workload": name}
    assert call.timeout_ms == 5_000
    assert wake(db, name) == (0, None)
    assert db.rows("select from orchestra.knock") == []
    take_calls(db, name)


def test_a_url_may_end_in_a_slash(db: RuntimeDb) -> None:
    tell_secrets(db, url=URL + "/")
    name = db.edge()
    db.send(name)
    assert calls(db, name)[0].url == f"{URL}/{name}"


def test_what_is_rolled_back_calls_nobody(db: RuntimeDb) -> None:
    name = db.edge()
    with db.connect(autocommit=False) as connection:
        connection.execute("select orchestra.send(%s, '{}')", (name,))
        connection.rollback()
        connection.execute("savepoint s")
        connection.execute("select orchestra.send(%s, '{}')", (name,))
        connection.execute("rollback to s")
        connection.commit()
    assert (calls(db, name), db.rows("select from orchestra.knock")) == ([], [])
    # After a savepoint that was rolled back the transaction may still send.
    with db.connect(autocommit=False) as connection:
        for ending in ("rollback to s", "release s"):
            connection.execute("savepoint s")
            connection.execute("select orchestra.send(%s, '{}')", (name,))
            connection.execute(ending)
        connection.commit()
    assert take_calls(db, name) == 1


@pytest.mark.parametrize(
    "statement",
    [
        "select orchestra.send('{0}', '{{}}', delay => '10 seconds')",
        "select orchestra.send('{0}', '{{}}', scheduled_at => now() + interval '1 minute')",
        "select orchestra.send_many('{0}', '{{}}')",
    ],
)
def test_what_cannot_begin_yet_calls_nobody(db: RuntimeDb, statement: str) -> None:
    name = db.edge()
    db.run(statement.format(name))
    assert calls(db, name) == []
    # Nor does it hold up what comes next.
    db.send(name)
    assert take_calls(db, name) == 1


def test_whatever_enqueues_calls(db: RuntimeDb) -> None:
    """A table trigger, a schedule, the door, a plain send of a role that may do nothing else."""
    name = db.edge(max_items=10)
    db.run("drop table if exists public.things; create table public.things (id int primary key)")
    db.run(
        f"create trigger {name} after insert on public.things referencing new table as orchestra_new "
        f"for each statement execute function orchestra.on_table_change('{PROJECT}', '{name}', 'key', '[]')"
    )
    db.schedule(name, every_ms=300_000)
    ways = (
        lambda: db.run("insert into public.things values (1)"),
        lambda: db.fire(name),
        lambda: db.enqueue(name, [{}]),
        lambda: db.run(f"set role service_role; select orchestra.send('{name}', '{{}}'); reset role"),
    )
    for way in ways:
        answer(db, name)
        way()
        assert take_calls(db, name) == 1
    db.run("drop table public.things; delete from orchestra.schedule")


def test_the_key_stands_in_the_call_alone(db: RuntimeDb) -> None:
    """Not in a log, whatever is logged and also when it fails; not in what is noted, nor in cron's commands."""
    name = db.edge()
    superuser = db.engine.execute
    superuser("alter role postgres_like set log_statement = 'all'")
    superuser("alter role postgres_like set log_min_messages = 'debug1'")
    try:
        with db.connect() as connection:
            connection.execute("select orchestra.send(%s, '{}')", (name,))
            superuser("alter table net.http_request_queue add constraint none check (false) not valid")
            later(db, name, 60)
            connection.execute("select orchestra.send(%s, '{}')", (name,))
    finally:
        superuser("alter table net.http_request_queue drop constraint none")
        superuser("alter role postgres_like reset all")
    assert "violates check constraint" in wake(db, name)[1]
    log = str(superuser(f"select pg_read_file('{log_file(db)}')")[0][0])
    assert "select orchestra.send($1, '{}')" in log
    assert KEY not in log
    for table in ("orchestra.wake", "orchestra.registry", "orchestra.operator_log", "cron.job"):
        assert KEY not in str(superuser(f"select t::text from {table} t"))
    assert take_calls(db, name) == 1


def log_file(db: RuntimeDb) -> str:
    data = str(db.engine.execute("show data_directory")[0][0])
    name = "postgres.log" if db.engine.is_embedded else "log"
    return f"{data.rpartition('/')[0]}/{name}"


# When it is of use


def test_who_is_idle_is_not_called(db: RuntimeDb) -> None:
    name = db.edge(concurrency=20)
    worker = db.worker(name)
    db.send(name)
    assert calls(db, name) == []
    turn = worker.turn(1)
    assert len(turn.given) == 1
    # Now all who are awake are busy, and there is a free slot.
    db.send(name)
    assert take_calls(db, name) == 1
    worker.turn(5, ack=turn.ids)
    worker.turn(5, ack=list(worker.held))
    answer(db, name)
    db.send(name)
    assert calls(db, name) == []


def test_who_has_not_renewed_what_it_holds_is_no_idle_worker(db: RuntimeDb) -> None:
    """Its isolate may have ended; its lease tells only much later."""
    name = db.edge(concurrency=40, per_worker=10, batch_size=10, visibility_timeout_ms=300_000)
    worker = db.worker(name)
    db.send(name)
    worker.turn(10)
    assert worker.turn(9).given == []
    take_calls(db, name)
    db.send_many(name, 9)
    assert calls(db, name) == []
    later(db, name, DAY)
    db.run("update orchestra.slot set lease_until = lease_until - interval '21 s' where workload = %s", name)
    db.tick()
    assert len(calls(db, name)) == 1


def test_nobody_is_called_when_all_slots_are_taken(db: RuntimeDb) -> None:
    name = db.edge(concurrency=2, per_worker=1)
    workers = [db.worker(name), db.worker(name)]
    for worker in workers:
        db.send(name)
        assert len(worker.turn(1).given) == 1
    db.send(name)
    db.tick()
    assert calls(db, name) == []
    # One of them dies: its slot is free when its lease ends.
    db.run("update orchestra.slot set lease_until = now() where workload = %s and slot = 1", name)
    db.tick()
    assert take_calls(db, name) == 1


def test_a_worker_that_can_take_nothing_more_counts_as_busy(db: RuntimeDb) -> None:
    """It holds something, and what comes next must have no company: others have to come for it."""
    name = db.edge(concurrency=20, max_attempts=5)
    db.send(name)
    worker = db.worker(name)
    assert len(worker.turn(1).given) == 1
    suspect = db.send(name)
    take_calls(db, name)
    db.run(
        f"update pgmq.q_{name} set read_ct = 1, vt = now() - interval '1 minute' where msg_id = %s", suspect
    )
    assert worker.turn(5).given == []
    answer(db, name)
    db.send(name)
    assert take_calls(db, name) == 1
    # And while it runs alone it takes nothing else.
    worker.turn(0, ack=list(worker.held))
    alone = worker.turn(5)
    assert (alone.ids, alone.alone) == ([suspect], True)
    assert worker.turn(5).given == []
    answer(db, name)
    db.send(name)
    assert take_calls(db, name) == 1


def test_many_messages_call_several_workers(db: RuntimeDb) -> None:
    name = db.edge(concurrency=4, per_worker=1, batch_size=10)
    db.send_many(name, 35)
    assert take_calls(db, name) == 4
    small = db.edge(concurrency=4, per_worker=1, batch_size=10)
    db.send_many(small, 11)
    assert take_calls(db, small) == 2
    # Idle ones find it by themselves: fewer have to be called.
    some = db.edge(concurrency=4, per_worker=1, batch_size=10)
    db.worker(some)
    db.send_many(some, 35)
    assert take_calls(db, some) == 3
    # Sent one by one in a transaction, they are as many.
    single = db.edge(concurrency=4, per_worker=1, batch_size=10)
    db.run(f"do $$ begin for i in 1..35 loop perform orchestra.send('{single}', '{{}}'); end loop; end $$")
    assert take_calls(db, single) == 4


def test_a_large_transaction_of_single_sends_does_not_get_slower(db: RuntimeDb) -> None:
    """The note about it is not updated for each: that is quadratic."""
    name = db.edge()
    db.run(f"do $$ begin for i in 1..5000 loop perform orchestra.send('{name}', '{{}}'); end loop; end $$")
    assert take_calls(db, name) == 1
    with db.connect(autocommit=False) as connection:
        connection.execute(
            f"do $$ begin for i in 1..500 loop perform orchestra.send('{name}', '{{}}'); end loop; end $$"
        )
        row = connection.execute(
            "select messages from orchestra.knock where workload = %s", (name,)
        ).fetchone()
        assert row == (10,)


def test_what_a_function_answers_in_place_of_202_shows_until_a_worker_comes(db: RuntimeDb) -> None:
    name = db.edge()

    def shown() -> Any:
        return db.one(f"select wake_error from orchestra.status('{PROJECT}') where workload = %s", name)

    def answered(status: int | None, content: str | None, error: str | None = None) -> None:
        db.engine.execute(
            "with sent as (delete from net.http_request_queue where url like %s returning id) "
            "insert into net._http_response (id, status_code, content, error_msg) select id, %s, %s, %s from sent",
            (f"%/{name}", status, content, error),
        )
        later(db, name, 5)

    db.send(name)
    assert shown() is None
    answered(401, '{"error": "not authorized"}')
    assert shown() == 'answered 401: {"error": "not authorized"}'
    db.tick()
    answered(None, None, "Timeout of 5000 ms reached")
    assert shown() == "Timeout of 5000 ms reached"
    later(db, name, DAY)
    db.tick()
    answered(202, "{}")
    assert shown() is None
    db.worker(name, "c1").leave()
    assert shown() is None


def test_while_a_call_is_under_way_no_other_is_made(db: RuntimeDb) -> None:
    name = db.edge(concurrency=20)
    for _ in range(20):
        db.send(name)
    assert take_calls(db, name) == 1
    worker = db.worker(name)
    worker.turn(20)
    db.send(name)
    assert take_calls(db, name) == 1


@pytest.mark.parametrize("what", ["project", "workload"])
def test_nobody_is_called_for_what_is_paused(db: RuntimeDb, what: str) -> None:
    name = db.edge()
    target = name if what == "workload" else None
    db.run("select orchestra.pause(%s, %s)", PROJECT, target)
    try:
        db.send(name)
        db.tick()
        look(db, name)
        assert calls(db, name) == []
    finally:
        db.run("select orchestra.resume(%s, %s)", PROJECT, target)
    db.tick()
    assert take_calls(db, name) == 1


def test_nobody_is_called_for_what_a_rate_limit_holds_back(db: RuntimeDb) -> None:
    """A worker leaves when it would have to wait for long; until then calls would be for nothing."""
    name = db.edge(rate_limit=2, rate_period_ms=3_600_000)
    db.send_many(name, 5)
    assert take_calls(db, name) == 1
    worker = db.worker(name)
    worker.turn(0, ack=worker.turn(5).ids)
    worker.leave()
    for _ in range(3):
        later(db, name, 600)
        db.send(name)
        db.tick()
        look(db, name)
    assert calls(db, name) == []
    db.run("update orchestra.rate set at = array(select a - interval '3599.5 seconds' from unnest(at) a)")
    db.tick()
    assert take_calls(db, name) == 1


def test_a_queue_handled_in_sql_calls_nobody(db: RuntimeDb) -> None:
    name = db.queue()
    db.send(name)
    db.tick()
    assert calls(db, name) == []


# When nobody comes


def test_calls_that_nobody_answers_become_rare(db: RuntimeDb) -> None:
    """Trap 12: 8 slots, a message a second and a tick each 5 s, for a day."""
    name = db.edge(concurrency=8, per_worker=1, batch_size=1)
    db.send_many(name, 1_000)
    made = take_calls(db, name)
    waits = []
    now = 0.0
    while now < DAY:
        # What is between two calls is skipped; just before one is due, none is made.
        rest = db.one(
            "select extract(epoch from last_at + least(interval '4 seconds' * power(2, least(misses, 10)), "
            "interval '5 minutes') - clock_timestamp())::float8 from orchestra.wake where workload = %s",
            name,
        )
        if len(waits) < 9:
            later(db, name, rest - 0.5)
            db.send(name)
            look(db, name)
            assert calls(db, name) == []
            later(db, name, 0.6)
        else:
            later(db, name, rest + 0.1)
        look(db, name)
        made += take_calls(db, name)
        waits.append(round(rest))
        now += rest
    assert waits[:8] == [4, 8, 16, 32, 64, 128, 256, 300]
    assert set(waits[8:]) == {300}
    assert made <= 8 + 300
    # Somebody comes at last: the next call waits for nothing.
    worker = db.worker(name)
    assert wake(db, name) == (0, None)
    worker.leave()
    look(db, name)
    assert take_calls(db, name) == 8


def test_the_tick_calls_again_where_a_call_was_lost(db: RuntimeDb) -> None:
    name = db.edge()
    db.send(name)
    assert take_calls(db, name) == 1
    db.tick()
    assert take_calls(db, name) == 0
    later(db, name, 4.1)
    db.tick()
    assert take_calls(db, name) == 1


def test_a_crash_loses_the_calls_and_the_tick_makes_up_for_them(db: RuntimeDb) -> None:
    """pg_net's queue is unlogged: the server comes back with the message and without the call."""
    name, idle = db.edge(), db.edge()
    message = db.send(name)
    [lost] = calls(db, name)
    db.close()
    db.engine.crash()
    assert db.rows("select id from net.http_request_queue") == []
    assert db.rows(f"select msg_id, read_ct from pgmq.q_{name}") == [(message, 0)]
    db.tick()
    assert calls(db, name) == [], "as far as anybody knows, a worker is on its way"
    later(db, name, 4.1)
    db.tick()
    assert calls(db, name) == [lost]
    assert (take_calls(db, name), take_calls(db, idle)) == (1, 0)
    assert db.worker(name).turn(1).ids == [message]


@pytest.mark.parametrize("fault", ["no url", "no key", "no pg_net", "no vault", "a locked queue of calls"])
def test_a_call_that_cannot_be_made_never_fails_the_sender_and_is_written_down(
    db: RuntimeDb, fault: str
) -> None:
    name = db.edge()
    said = {
        "no url": "the secret function_url is not in Vault",
        "no key": "the secret function_key is not in Vault",
        "no pg_net": "net.http_post",
        "no vault": "vault.decrypted_secrets",
        "a locked queue of calls": "lock timeout",
    }[fault]
    with broken(db, fault):
        db.send(name)
        misses, error = wake(db, name)
        assert misses == 1
        assert said in error
        assert KEY not in error
        assert db.rows("select from orchestra.knock") == []
    assert db.depth(name) == 1
    tell_secrets(db)
    # It costs no call to try again, so it is not put off for long.
    later(db, name, 31)
    db.tick()
    assert take_calls(db, name) == 1
    assert wake(db, name)[1] is None


@contextmanager
def broken(db: RuntimeDb, fault: str) -> Iterator[None]:
    superuser = db.engine.execute
    if fault == "no url":
        tell_secrets(db, url=None)
        yield
    elif fault == "no key":
        tell_secrets(db, key=None)
        yield
    elif fault == "no pg_net":
        superuser("alter function net.http_post rename to away")
        try:
            yield
        finally:
            superuser("alter function net.away rename to http_post")
    elif fault == "no vault":
        superuser("alter view vault.decrypted_secrets rename to away")
        try:
            yield
        finally:
            superuser("alter view vault.away rename to decrypted_secrets")
    else:
        with psycopg.connect(db.engine.dsn) as holder:
            holder.execute("lock table net.http_request_queue in access exclusive mode")
            yield


@pytest.mark.parametrize("level", ["repeatable read", "serializable"])
def test_a_sender_of_any_isolation_level_is_never_failed(db: RuntimeDb, level: str) -> None:
    """Whatever has been called and has come since it began."""
    name = db.edge()
    with db.connect(autocommit=False) as connection:
        connection.execute(f"set transaction isolation level {level}")
        connection.execute("select orchestra.send(%s, '{}')", (name,))
        db.send(name)
        worker = db.worker(name)
        worker.turn(0, ack=worker.turn(1).ids)
        worker.leave()
        connection.execute("select orchestra.send(%s, '{}')", (name,))
        connection.commit()
    assert db.depth(name) == 2
    assert db.rows("select from orchestra.knock") == []
    later(db, name, 5)
    db.tick()
    assert take_calls(db, name) >= 1


# Nothing is stranded, and nobody waits


class Functions:
    """Workers that come when they are called, work while there is something to do, and leave."""

    def __init__(self, db: RuntimeDb, linger: float) -> None:
        self.db = db
        self.linger = linger
        self.stop = threading.Event()
        self.threads: list[threading.Thread] = []
        self.faults: list[BaseException] = []

    def serve(self) -> None:
        """What pg_net and the platform do: each call starts a worker a little later."""
        with self.db.connect() as connection:
            while not self.stop.is_set():
                gone = connection.execute(
                    "delete from net.http_request_queue returning substring(url from '[^/]*$')"
                ).fetchall()
                for (name,) in gone:
                    thread = threading.Thread(target=self.work, args=(name, len(self.threads)), daemon=True)
                    thread.start()
                    self.threads.append(thread)
                time.sleep(0.02)
        for thread in self.threads:
            thread.join(20)

    def work(self, name: str, seed: int) -> None:
        generator = random.Random(seed)
        time.sleep(generator.uniform(0.01, 0.05))
        try:
            with self.db.another() as db:
                worker = db.worker(name)
                if worker.verdict == "go":
                    self.drain(worker, generator)
                    worker.leave()
                    # The last look of a worker, a moment after it has left.
                    time.sleep(0.05)
                    look(db, name)
        except psycopg.Error as error:
            self.faults.append(error)

    def drain(self, worker: Worker, generator: random.Random) -> None:
        idle_since = time.monotonic()
        held: list[int] = []
        while True:
            held = worker.turn(generator.randint(1, 5), ack=held).ids
            if held:
                time.sleep(generator.uniform(0, 0.005))
                idle_since = time.monotonic()
            elif time.monotonic() - idle_since >= self.linger:
                return
            else:
                time.sleep(0.01)


@pytest.mark.parametrize("linger", [0.0, 0.08])
def test_callers_that_keep_their_transactions_open_strand_nothing(db: RuntimeDb, linger: float) -> None:
    """Trap 3: 30 callers at once, open for 20 to 500 ms, and workers that come and leave; no tick comes to help.

    They are spread over ten workloads, so that nobody's worker is called by others' messages.
    """
    names = [db.edge(concurrency=2, per_worker=1, batch_size=5) for _ in range(10)]
    functions = Functions(db, linger)
    sent: list[int] = []

    def caller(seed: int) -> None:
        generator = random.Random(seed)
        with db.connect(autocommit=False) as connection:
            row = connection.execute(
                "select orchestra.send(%s, '{}')", (names[seed % len(names)],)
            ).fetchone()
            time.sleep(generator.uniform(0.02, 0.5))
            connection.commit()
            assert row is not None
            sent.append(row[0])

    all_empty = " and ".join(f"not exists (select from pgmq.q_{n})" for n in names)
    with db.background(functions.serve):
        try:
            for turn in range(4):
                with db.background(*[lambda s=s: caller(s) for s in range(turn * 30, turn * 30 + 30)]):
                    pass
                db.wait_for(f"select {all_empty}")
        finally:
            functions.stop.set()
    assert functions.faults == []
    assert len(sent) == 120
    assert [d for name in names for d in db.dead(name)] == []


def test_senders_never_wait_for_each_other(db: RuntimeDb) -> None:
    """Eight at once, whose commits take long; a lock that one had to wait for would fail it."""
    name = db.edge()
    db.run(
        """create or replace function public.dawdle() returns trigger language plpgsql as $$
        begin perform pg_sleep(0.05); return null; end $$"""
    )
    db.run("drop table if exists public.slow; create table public.slow (id int)")
    # A deferred trigger of the application's own, behind that which wakes: all that it holds is held for so long.
    db.run(
        "create constraint trigger dawdle after insert on public.slow deferrable initially deferred "
        "for each row execute function public.dawdle()"
    )
    done: list[int] = []
    faults: list[psycopg.Error] = []
    gate = threading.Barrier(8, timeout=20)

    def sender() -> None:
        try:
            with db.connect(autocommit=False) as connection:
                connection.execute("set lock_timeout = '30ms'")
                connection.commit()
                for _ in range(5):
                    gate.wait()
                    connection.execute("select orchestra.send(%s, '{}')", (name,))
                    connection.execute("insert into public.slow values (1)")
                    connection.commit()
                    done.append(1)
        except psycopg.Error as error:
            faults.append(error)
            gate.abort()

    with db.background(*[sender] * 8):
        pass
    assert faults == []
    assert len(done) == 40
    take_calls(db, name)


def test_requests_of_one_function_never_wait_for_each_other(db: RuntimeDb) -> None:
    """The door enqueues many items in a long transaction; others come in meanwhile, and so do workers."""
    new, old = db.edge(max_items=10), db.edge(max_items=10)
    db.worker(old).leave()
    db.run("update orchestra.contract set last_at = now() - interval '1 minute' where workload = %s", old)
    for name in (new, old):
        nobody_waits(db, name)


def nobody_waits(db: RuntimeDb, name: str) -> None:
    with db.connect(autocommit=False) as first, db.connect() as second:
        for connection in (first, second):
            connection.execute("set lock_timeout = '300ms'")
            assert db.enqueue(name, [{}], connection=connection)[0] == "go"
        worker = second.execute("select verdict from orchestra.enter_v1(%s, %s, 'c1')", (PROJECT, name))
        assert worker.fetchone() == ("go",)


def test_a_message_behind_a_workers_last_look_is_found(db: RuntimeDb) -> None:
    """It is committed while the worker seems to be there still: the worker looks once more after it has left."""
    name = db.edge()
    worker = db.worker(name)
    assert worker.turn(5).given == []
    db.send(name)
    assert calls(db, name) == []
    worker.leave()
    look(db, name)
    assert take_calls(db, name) == 1


def test_a_worker_that_is_turned_away_has_not_answered_the_call(db: RuntimeDb) -> None:
    """Code that nobody wants must not have its function called as often as if it worked."""
    name = db.edge()
    db.worker(name).leave()
    db.send(name)
    later(db, name, 60)
    db.tick()
    misses = wake(db, name)[0]
    assert misses == 1
    assert db.worker(name, "strange").verdict == "foreign"
    assert wake(db, name)[0] == misses
    assert db.worker(name).verdict == "go"
    assert wake(db, name)[0] == 0


def test_a_look_at_an_empty_queue_calls_nobody(db: RuntimeDb) -> None:
    name = db.edge()
    worker = db.worker(name)
    worker.leave()
    look(db, name)
    assert calls(db, name) == []


def test_a_worker_that_comes_waits_for_no_tick(db: RuntimeDb) -> None:
    """A tick that is held up at one queue holds nothing of those that it has looked at.

    Looked at while the tick stands at the locked queue, not by a time-out: a commit that a busy disk delays is no wait
    for a tick.
    """
    first, locked = sorted((db.edge(poll_interval_ms=9_000), db.edge(poll_interval_ms=9_000)))
    for name in (first, locked):
        db.run(f"select pgmq.send('{name}', '{{}}')")
    db.run("update orchestra.wake set last_at = now(), entered_at = null where workload = %s", first)
    db.run("update orchestra.workload set url_secret = 'missing' where name = %s", first)
    later(db, first, 60)
    free: list[bool] = []
    with db.connect(autocommit=False) as holder:
        holder.execute(f"lock table pgmq.q_{locked} in access exclusive mode")
        with db.connect() as ticker, db.connect() as comer:

            def held_up() -> Any:
                return comer.execute(
                    "select waitstart from pg_locks where pid = %s and relation = %s::regclass and not granted",
                    (ticker.info.backend_pid, f"pgmq.q_{locked}"),
                ).fetchone()

            def tick() -> None:
                for _ in range(200):
                    if len(free) >= 4:
                        return
                    ticker.execute("call orchestra.tick(%s, 9000)", (PROJECT,))
                    later(db, first, 60)

            with db.background(tick) as errors:
                limit = time.monotonic() + 60
                while len(free) < 4 and time.monotonic() < limit:
                    before = held_up()
                    taken = comer.execute(
                        "select 1 from orchestra.wake where workload = %s for update skip locked", (first,)
                    ).fetchone()
                    if before is not None and before == held_up():
                        free.append(taken is not None)
                    time.sleep(0.002)
    assert errors == []
    assert free == [True] * 4
    assert "missing" in wake(db, first)[1]
