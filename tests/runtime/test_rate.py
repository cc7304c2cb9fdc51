"""Rate limits: never more than allowed in any window, not much less either, and no key in another one's way.

What counts is written down by a trigger on the queue: the time of each hand-out, and the moves of what has to wait.
"""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from itertools import pairwise
from typing import Any

import psycopg
import pytest
from psycopg.types.json import Jsonb

from runtime.runtime_db import PROJECT, RuntimeDb, Worker

ENGINES = ("embedded", "pg17", "pg15")
HOUR = 3_600_000
# The trigger's clock is read a little after the one that counts.
SLACK = 0.05


@pytest.fixture(scope="module", autouse=True)
def log(db: RuntimeDb) -> None:
    db.run(
        """
        create table public.handed (workload text, key text, at float8, started boolean);
        create function public.write_down() returns trigger language plpgsql as $$
        begin
          insert into public.handed values (
            tg_argv[0], coalesce(new.message ->> 'key', ''), extract(epoch from clock_timestamp()),
            new.read_ct > old.read_ct
          );
          return null;
        end $$;
        """
    )


def limited(db: RuntimeDb, limit: int, period_ms: int, kind: str = "edge", **columns: Any) -> str:
    make = db.edge if kind == "edge" else db.queue
    name = make(rate_limit=limit, rate_period_ms=period_ms, **columns)
    db.run(
        f"create trigger handed after update of read_ct, vt on pgmq.q_{name} "
        f"for each row execute function public.write_down('{name}')"
    )
    return name


def starts(db: RuntimeDb, name: str, key: str | None = None) -> list[float]:
    """When messages were handed out, in seconds, in order."""
    return [
        at
        for (at,) in db.rows(
            "select at from public.handed where workload = %s and started and key = coalesce(%s, key) order by at",
            name,
            key,
        )
    ]


def moves(db: RuntimeDb, name: str, key: str) -> int:
    """How often messages of the key were put off."""
    return int(
        db.one(
            "select count(*) from public.handed where workload = %s and not started and key = %s", name, key
        )
    )


def assert_within(times: list[float], limit: int, period: float) -> None:
    """No window of the period holds more than the limit."""
    for first, over in zip(times, times[limit:], strict=False):
        assert over - first > period - SLACK, f"{limit + 1} starts within {over - first:.3f} s"


def send(db: RuntimeDb, name: str, key: str, count: int = 1) -> None:
    db.run(
        "select orchestra.send_many(%s, array(select jsonb_build_object('key', %s::text, 'n', i) "
        "from generate_series(1, %s) i))",
        name,
        key,
        count,
    )


def work(db: RuntimeDb, name: str, want: int, seconds: float) -> list[float]:
    """As a busy worker does it: settles, asks again after what it was told to wait, or else in about 50 ms. When the
    workload's messages were handed out."""
    worker = db.worker(name)
    generator = random.Random(7)
    held: list[int] = []
    with db.connect() as connection:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            turn = worker.turn(want, ack=held, connection=connection)
            held = turn.ids
            if turn.wait_ms is not None:
                time.sleep(turn.wait_ms / 1000)
            elif not held:
                time.sleep(generator.uniform(0.01, 0.09))
        worker.turn(0, ack=held, connection=connection)
    return starts(db, name)


@pytest.mark.engines("pg17")
@pytest.mark.parametrize(("limit", "period_ms", "keys"), [(7, 300, 0), (40, 500, 0), (3, 250, 3)])
def test_no_window_sees_more_than_the_limit(db: RuntimeDb, limit: int, period_ms: int, keys: int) -> None:
    """Random bursts, four workers at once; some of what they take fails and comes again.

    And nothing has to wait but where the limit was used up within the last period, and the 64th of it that are counted
    together.
    """
    name = limited(
        db,
        limit,
        period_ms,
        concurrency=4,
        per_worker=1,
        rate_key="key" if keys else None,
        backoff_initial_ms=0,
    )
    generator = random.Random(limit)
    stop = threading.Event()
    refused: list[tuple[float, float]] = []
    workers = [db.worker(name) for _ in range(4)]

    def look(worker: Worker, seed: int) -> None:
        own = random.Random(seed)
        with db.connect() as connection:
            held: list[int] = []
            while not stop.is_set():
                cut = own.randint(0, len(held))
                failed = [{"id": str(i), "error": "no"} for i in held[cut:] if own.random() < 0.2]
                ack = [i for i in held if str(i) not in {f["id"] for f in failed}]
                before = time.time()
                turn = worker.turn(own.randint(1, 12), ack=ack, fails=failed, connection=connection)
                held = turn.ids
                if turn.wait_ms:
                    refused.append((before, time.time()))
                time.sleep(own.random() * 0.01)

    with db.background(*[lambda w=w, i=i: look(w, i) for i, w in enumerate(workers)]) as errors:
        end = time.monotonic() + 1.5
        while time.monotonic() < end:
            send(db, name, str(generator.randrange(keys)) if keys else "", generator.randint(1, limit))
            time.sleep(generator.random() * period_ms / 2000)
        stop.set()
    assert errors == []
    for key in range(keys or 1):
        times = starts(db, name, str(key) if keys else None)
        assert len(times) > limit * 2
        assert_within(times, limit, period_ms / 1000)
    assert keys or refused
    for before, after in refused:
        counted = [t for t in times if before - period_ms / 1000 * 65 / 64 - 0.001 < t <= after]
        assert len(counted) >= limit


@pytest.mark.engines("pg17")
def test_a_busy_worker_gets_what_the_limit_allows(db: RuntimeDb) -> None:
    """500/s: at least 95 %, over two periods behind the first rush."""
    name = limited(db, 500, 1_000)
    db.send_many(name, 2_500)
    times = work(db, name, 50, 2.6)
    assert_within(times, 500, 1.0)
    assert len([t for t in times if 0.5 < t - times[0] <= 2.5]) >= 0.95 * 1_000


@pytest.mark.engines("pg17")
def test_a_line_of_one_key_gets_what_the_limit_allows(db: RuntimeDb) -> None:
    """10/s for each key, with a line of 150, while the worker polls as it pleases."""
    name = limited(db, 10, 1_000, rate_key="key")
    send(db, name, "a", 150)
    times = work(db, name, 10, 3.1)
    assert_within(times, 10, 1.0)
    # Behind the first rush, one after the other.
    assert len([t for t in times if 0.9 < t - times[0] <= 2.9]) >= 17


@pytest.mark.engines("pg17")
def test_a_line_of_one_a_period_keeps_its_pace(db: RuntimeDb) -> None:
    name = limited(db, 1, 200, rate_key="key")
    send(db, name, "a", 100)
    times = work(db, name, 5, 3)
    assert_within(times, 1, 0.2)
    # Of fifteen; a poll finds what has become free about 30 ms late.
    assert len(times) >= 11


def test_one_keys_long_line_holds_up_no_other_and_is_not_looked_at_again_and_again(db: RuntimeDb) -> None:
    name = limited(db, 5, 1_000, rate_key="key", concurrency=10)
    send(db, name, "long", 2_000)
    send(db, name, "b", 4)
    send(db, name, "c", 4)
    worker = db.worker(name)
    first = worker.turn(10)
    assert Counter(m[3]["key"] for m in first.given) == {"long": 5}
    turns = 1
    while not (second := worker.turn(10, ack=list(worker.held))).given:
        assert second.wait_ms == 0
        turns += 1
    assert turns <= 3
    assert Counter(m[3]["key"] for m in second.given) == {"b": 4, "c": 4}
    worker.turn(0, ack=second.ids)
    worker.leave()
    work(db, name, 10, 1.2)
    assert len(starts(db, name, "long")) >= 6
    # Each of them once, and now and then one that came a moment too early.
    assert moves(db, name, "long") <= 2_000 * 1.05
    span = db.one(f"select extract(epoch from max(vt) - clock_timestamp()) from pgmq.q_{name}")
    assert 380 < span < 420


@pytest.mark.engines("pg17")
def test_one_start_a_period(db: RuntimeDb) -> None:
    name = limited(db, 1, 150)
    db.send_many(name, 20)
    times = work(db, name, 10, 1.6)
    assert_within(times, 1, 0.15)
    assert len(times) >= 8
    assert min(b - a for a, b in pairwise(times)) < 0.2


def test_what_has_to_wait_is_said_and_stays_where_it_is(db: RuntimeDb) -> None:
    name = limited(db, 3, HOUR)
    db.send_many(name, 5)
    worker = db.worker(name)
    first = worker.turn(10)
    assert len(first.given) == 3
    assert first.wait_ms is not None
    assert HOUR - 10_000 < first.wait_ms <= HOUR
    second = worker.turn(10, ack=first.ids)
    assert second.given == []
    assert second.wait_ms is not None
    assert db.rows(f"select read_ct, vt <= now() from pgmq.q_{name}") == [(0, True)] * 2
    db.run("update orchestra.rate set at = array(select a - interval '1 hour' from unnest(at) a)")
    assert len(worker.turn(10).given) == 2


def test_drop_lets_go_of_what_is_above_the_limit_and_of_nothing_below_it(db: RuntimeDb) -> None:
    name = limited(db, 10, 400, rate_on_excess="drop")
    worker = db.worker(name)
    db.send_many(name, 30)
    first = worker.turn(50)
    assert (len(first.given), db.depth(name)) == (10, 10)
    db.send_many(name, 5)
    assert worker.turn(50, ack=first.ids).given == []
    assert db.depth(name) == 0
    time.sleep(0.42)
    db.send_many(name, 10)
    assert len(worker.turn(50).given) == 10
    assert db.one("select dropped from orchestra.rate where workload = %s", name) == 25
    assert db.one(f"select dropped from orchestra.status('{PROJECT}') where workload = %s", name) == 25
    assert_within(starts(db, name), 10, 0.4)


def test_drop_leaves_alone_what_has_been_handed_out_before(db: RuntimeDb) -> None:
    """It was accepted once; that it failed makes it no excess."""
    name = limited(db, 3, 300, rate_on_excess="drop", backoff_initial_ms=0)
    db.send_many(name, 3)
    worker = db.worker(name)
    ids = worker.turn(5).ids
    worker.turn(0, fails=[{"id": str(i), "error": "no"} for i in ids])
    assert worker.turn(5).given == []
    assert db.depth(name) == 3
    time.sleep(0.53)  # one behind the other
    assert sorted(worker.turn(5).ids) == ids


def test_each_value_of_the_key_has_the_whole_limit(db: RuntimeDb) -> None:
    name = limited(db, 2, HOUR, rate_key="key", concurrency=50, per_worker=50)
    for key in "abc":
        send(db, name, key, 5)
    db.run("select orchestra.send(%s, '{}'), orchestra.send(%s, '5')", name, name)
    given = db.worker(name).turn(50).given
    assert Counter(m[3]["key"] if isinstance(m[3], dict) and m[3] else None for m in given) == {
        "a": 2,
        "b": 2,
        "c": 2,
        None: 2,
    }


def test_claims_of_the_same_keys_in_opposite_orders_do_not_deadlock(db: RuntimeDb) -> None:
    name = limited(db, 1_000_000, 1_000, rate_key="key", concurrency=2, per_worker=1)
    workers = [db.worker(name), db.worker(name)]
    done = Counter[str]()
    for turns in range(12):
        for keys in (range(30), range(29, -1, -1)):
            db.run("select orchestra.send_many(%s, %s)", name, [Jsonb({"key": str(k)}) for k in keys])

        def turn(connection: psycopg.Connection[Any], worker: Worker) -> None:
            given = worker.turn(30, ack=list(worker.held), connection=connection).given
            done.update(m[3]["key"] for m in given)

        db.at_once(*[lambda c, w=w: turn(c, w) for w in workers])
        assert sum(done.values()) == (turns + 1) * 60
    assert set(done.values()) == {24}


@pytest.mark.parametrize("on_excess", ["queue", "drop"])
def test_claims_that_look_further_and_further_do_not_deadlock(db: RuntimeDb, on_excess: str) -> None:
    """What is above its key's limit stands at the head, so each claim looks again, and meets keys in another order."""
    name = limited(
        db, 1, HOUR, rate_key="key", rate_on_excess=on_excess, concurrency=4, per_worker=1, batch_size=10
    )
    generator = random.Random(1)
    keys = [Jsonb({"key": f"k{generator.randint(0, 30)}"}) for _ in range(3_000)]
    db.run("select orchestra.send_many(%s, %s)", name, keys)
    workers = [db.worker(name) for _ in range(4)]

    def turns(connection: psycopg.Connection[Any], worker: Worker) -> None:
        for _ in range(20):
            worker.turn(1, connection=connection)

    db.at_once(*[lambda c, w=w: turns(c, w) for w in workers])  # type: ignore[misc]
    given = [
        m[3]["key"]
        for w in workers
        for m in db.rows(f"select 0, 0, 0, message from pgmq.q_{name} where msg_id = any(%s)", list(w.held))
    ]
    assert sorted(given) == sorted({key.obj["key"] for key in keys})


def test_a_claim_that_fails_takes_no_finished_work_along(db: RuntimeDb) -> None:
    """SQL workers claim in the transaction that holds what the last handler did."""
    db.run("create table if not exists public.finished (id bigint)")
    name = db.queue("insert into public.finished select $3 from (select $1, $2) x", max_attempts=1)
    db.send_many(name, 3)
    db.run(
        f"""create function public.refuse() returns trigger language plpgsql as $$
        begin
          if new.msg_id = 2 and exists (select from public.finished where id = 1)
             and not exists (select from pgmq.q_{name} where msg_id = 1) and public.first_time() then
            raise deadlock_detected;
          end if;
          return new;
        end $$"""
    )
    db.run("create sequence public.refusals")
    db.run(
        "create function public.first_time() returns boolean language sql volatile "
        "as $$ select nextval('public.refusals') = 1 $$"
    )
    db.run(
        f"create trigger refuse before update on pgmq.q_{name} for each row execute function public.refuse()"
    )
    db.drain(name)
    assert db.one("select nextval('public.refusals')") > 1
    assert db.rows("select id from public.finished order by id") == [(1,), (2,), (3,)]
    assert (db.depth(name), db.dead(name)) == (0, [])
    db.run("drop table public.finished; drop function public.refuse() cascade")
    db.run("drop function public.first_time(); drop sequence public.refusals")


def test_a_key_of_any_length_does_not_stop_the_queue(db: RuntimeDb) -> None:
    name = limited(db, 1, HOUR, rate_key="key")
    generator = random.Random(1)
    long = "".join(chr(generator.randint(0x4E00, 0x9FFF)) for _ in range(5_000))
    for _ in range(2):
        db.run("select orchestra.send(%s, %s)", name, Jsonb({"key": long}))
    send(db, name, "short")
    assert sorted(len(m[3]["key"]) for m in db.worker(name).turn(10).given) == [5, 5_000]


def test_the_list_stays_short(db: RuntimeDb) -> None:
    """10,000 starts over more than a period, one by one, each committed."""
    name = limited(db, 1_000_000, 1_000)
    db.run(
        f"""do $$
        declare target orchestra.workload;
        begin
          select * into target from orchestra.workload where name = '{name}';
          for i in 1 .. 10000 loop
            perform orchestra.rate_look(target, '');
            perform orchestra.rate_take(target, '', 1);
            commit;
          end loop;
        end $$"""
    )
    size, counted, apart = db.rows(
        "select cardinality(at), (select sum(s) from unnest(n) s), "
        "(select min(b - a) from (select x as a, lead(x, 2) over (order by x) as b from unnest(at) x) g) "
        "from orchestra.rate where workload = %s",
        name,
    )[0]
    assert size <= 130
    assert counted <= 10_000
    assert apart.total_seconds() > 1 / 64.1


def test_what_is_handed_back_makes_room_for_nobody(db: RuntimeDb) -> None:
    """When it is, the places that are still counted may all be other starts."""
    name = limited(db, 5, 2_000, concurrency=20, per_worker=10)
    db.send_many(name, 30)
    first, second = db.worker(name), db.worker(name)
    early = first.turn(5).ids
    assert len(early) == 5
    time.sleep(2.05)
    assert len(second.turn(5).given) == 5
    first.turn(0, back=early)
    assert second.turn(5).given == []
    time.sleep(2.05)
    assert len(second.turn(5).given) == 5


@pytest.mark.engines("pg17")
def test_handing_back_never_lets_more_start_than_the_limit(db: RuntimeDb) -> None:
    generator = random.Random(11)
    limit, period = 12, 0.4
    name = limited(db, limit, 400, concurrency=30, per_worker=30, visibility_timeout_ms=60_000)
    db.send_many(name, 400)
    worker = db.worker(name)
    started: list[float] = []
    end = time.monotonic() + 1.6
    while time.monotonic() < end:
        before = time.monotonic()
        turn = worker.turn(generator.randint(1, 8))
        back = [i for i in turn.ids if generator.random() < 0.4]
        started += [before] * (len(turn.ids) - len(back))
        time.sleep(generator.random() * 0.03)
        worker.turn(0, ack=[i for i in turn.ids if i not in back], back=back)
    assert_within(started, limit, period)
    assert len(started) > 2 * limit


def test_a_limit_that_changes_counts_at_once(db: RuntimeDb) -> None:
    name = limited(db, 2, HOUR)
    db.send_many(name, 20)
    worker = db.worker(name)
    assert len(worker.turn(10).given) == 2
    db.alter(name, rate_limit=5)
    assert len(worker.turn(10).given) == 3
    db.alter(name, rate_limit=1)
    assert worker.turn(10).given == []
    db.alter(name, rate_limit=None, rate_period_ms=None)
    assert worker.turn(0, ack=list(worker.held)).verdict == "drain"  # it was told that there is a limit
    worker.leave()
    assert len(db.worker(name).turn(10).given) == 10


def test_what_goes_to_the_dead_letters_is_no_start(db: RuntimeDb) -> None:
    name = limited(db, 1, HOUR)
    db.send_many(name, 3)
    db.run(f"update pgmq.q_{name} set read_ct = 3 where msg_id < 3")
    given = db.worker(name).turn(10).given
    assert [m[0] for m in given] == [3]
    assert len(db.dead(name)) == 2


def test_sql_consumers_keep_to_the_limit_and_use_it(db: RuntimeDb) -> None:
    """Two workers whose jobs come again and again; a wait that is shorter than the poll is sat out."""
    name = limited(db, 20, 400, "sql", concurrency=2, poll_interval_ms=5_000)
    db.send_many(name, 70)
    with db.background(lambda: db.drain(name, 1), lambda: db.drain(name, 2)):
        pass
    times = starts(db, name)
    assert db.depth(name) == 0
    assert_within(times, 20, 0.4)


def test_a_sql_consumer_does_not_sit_out_what_is_longer_than_its_poll(db: RuntimeDb) -> None:
    name = limited(db, 2, HOUR, "sql")
    db.send_many(name, 5)
    db.drain(name)
    assert db.depth(name) == 3


def test_a_sql_consumer_gets_past_one_keys_long_line(db: RuntimeDb) -> None:
    name = limited(db, 2, HOUR, "sql", rate_key="key")
    send(db, name, "long", 1_000)
    send(db, name, "b", 2)
    db.drain(name)
    assert (len(starts(db, name, "long")), len(starts(db, name, "b"))) == (2, 2)
    assert moves(db, name, "long") == 998


@pytest.mark.engines("pg17")
def test_a_sql_consumers_line_of_one_key_keeps_its_pace(db: RuntimeDb) -> None:
    name = limited(db, 5, 250, "sql", rate_key="key", poll_interval_ms=5_000)
    send(db, name, "a", 25)
    db.drain(name)
    times = starts(db, name)
    assert db.depth(name) == 0
    assert_within(times, 5, 0.25)
    assert times[-1] - times[0] < 2.5
