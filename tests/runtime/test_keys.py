"""Keys of messages: what idempotency and debounce make of those that come after, whoever else is sending."""

from __future__ import annotations

import random
import threading
from typing import Any

import psycopg
import pytest
from psycopg.types.json import Jsonb

from runtime.runtime_db import PROJECT, RuntimeDb

ENGINES = ("embedded", "pg17", "pg15")
ONE_STEP = Jsonb([{"name": "only", "sql": "select 1", "timeout_ms": 1000}])


def once(db: RuntimeDb, key: str = "id", **columns: Any) -> str:
    return db.queue(idempotency_key=key, idempotency_ttl_ms=3_600_000, **columns)


def last(db: RuntimeDb, key: str | None = None, **columns: Any) -> str:
    return db.queue(debounce_ms=10_000, debounce_key=key, **columns)


def send(db: RuntimeDb, name: str, payload: Any, connection: psycopg.Connection[Any] | None = None) -> int:
    row = (connection or db.main).execute("select orchestra.send(%s, %s)", (name, Jsonb(payload))).fetchone()
    assert row is not None
    return int(row[0])


def send_all(
    db: RuntimeDb, name: str, payloads: list[Any], connection: psycopg.Connection[Any] | None = None
) -> list[int]:
    row = (
        (connection or db.main)
        .execute("select orchestra.send_many(%s, %s)", (name, [Jsonb(p) for p in payloads]))
        .fetchone()
    )
    assert row is not None
    return list(row[0])


def queued(db: RuntimeDb, name: str) -> list[tuple[int, Any]]:
    return db.rows(f"select msg_id, message from pgmq.q_{name} order by msg_id")


def seconds_ahead(db: RuntimeDb, name: str) -> list[int]:
    """In how many seconds each message may begin, oldest message first."""
    return [
        s
        for (s,) in db.rows(
            f"select round(extract(epoch from vt - clock_timestamp()))::int from pgmq.q_{name} order by msg_id"
        )
    ]


# Idempotency


def test_the_same_key_again_gives_the_same_id_and_no_second_message(db: RuntimeDb) -> None:
    name = once(db)
    first = send(db, name, {"id": 7, "try": 1})
    assert send(db, name, {"id": 7, "try": 2}) == first
    other = send(db, name, {"id": 8})
    assert queued(db, name) == [(first, {"id": 7, "try": 1}), (other, {"id": 8})]
    # Also when it has been worked off long since.
    db.run(f"delete from pgmq.q_{name}")
    assert send(db, name, {"id": 7}) == first
    assert db.depth(name) == 0


def test_one_call_sends_each_of_its_keys_once_and_answers_in_the_order_of_the_payloads(
    db: RuntimeDb,
) -> None:
    name = once(db)
    known = send(db, name, {"id": "k"})
    ids = send_all(
        db,
        name,
        [{"id": "b", "n": 0}, {"id": "a"}, {"id": "b", "n": 1}, {}, {"id": "k"}, {}, {"id": "a"}],
    )
    b, a, b2, none, k, none2, a2 = ids
    assert (b2, a2, k) == (b, a, known)
    assert [i for i, _ in queued(db, name)] == [known, b, a, none, none2]
    assert dict(queued(db, name))[b] == {"id": "b", "n": 0}
    assert send_all(db, name, []) == []


def test_a_key_whose_time_is_over_sends_again(db: RuntimeDb) -> None:
    name = once(db)
    first = send(db, name, {"id": 7})
    db.run(
        "update orchestra.idempotency set expires_at = now() - interval '1 second' where workload = %s", name
    )
    second = send(db, name, {"id": 7})
    assert second != first
    assert send(db, name, {"id": 7}) == second
    assert db.depth(name) == 2
    assert db.one(
        "select expires_at between now() + interval '59 minutes' and now() + interval '61 minutes' "
        "from orchestra.idempotency where workload = %s",
        name,
    )


def test_a_key_may_be_given_with_the_call_instead_of_the_spec(db: RuntimeDb) -> None:
    plain, keyed = db.queue(), once(db)
    for name in (plain, keyed):

        def given(key: str, payload: str, name: str = name) -> int:
            return int(
                db.one(
                    "select orchestra.send(%s, %s::jsonb, idempotency_key => %s)",
                    name,
                    payload,
                    key,
                )
            )

        first = given("order-1", '{"id": 1}')
        assert given("order-1", '{"id": 2}') == first
        assert given("order-2", '{"id": 1}') != first
        assert db.depth(name) == 2
    assert db.one(
        "select min(expires_at) > now() + interval '23 hours' from orchestra.idempotency where workload = %s",
        plain,
    )
    # Without one the plain workload knows of no keys.
    assert send(db, plain, {"id": 1}) != send(db, plain, {"id": 1})


@pytest.mark.parametrize("payload", [{}, {"id": None}, {"other": 1}, [], "id", 5, None])
def test_a_payload_without_the_field_is_always_sent(db: RuntimeDb, payload: Any) -> None:
    name = once(db)
    assert send(db, name, payload) != send(db, name, payload)
    assert db.depth(name) == 2


def test_a_key_may_lie_deep_and_be_anything(db: RuntimeDb) -> None:
    name = once(db, "order.lines.0.id")
    ids = {
        json: send(db, name, {"order": {"lines": [{"id": value}]}})
        for json, value in {"n": 1, "s": "1 ", "b": True, "o": {"a": 1}, "e": ""}.items()
    }
    assert len(set(ids.values())) == 5
    assert send(db, name, {"order": {"lines": [{"id": {"a": 1}}]}}) == ids["o"]


def test_a_key_of_any_length_is_a_key(db: RuntimeDb) -> None:
    """An index takes 2,700 bytes; an address or a document may be longer."""
    name = once(db)
    generator = random.Random(5)
    long = "".join(chr(generator.randint(0x4E00, 0x9FFF)) for _ in range(5_000))
    first = send(db, name, {"id": long})
    assert send(db, name, {"id": long}) == first
    assert send(db, name, {"id": long + "x"}) != first


def test_workloads_do_not_share_keys(db: RuntimeDb) -> None:
    one, other = once(db), once(db)
    send(db, one, {"id": 1})
    send(db, other, {"id": 1})
    assert (db.depth(one), db.depth(other)) == (1, 1)


def test_a_sender_that_is_rolled_back_frees_its_key(db: RuntimeDb) -> None:
    name = once(db)
    with db.connect(autocommit=False) as connection:
        send(db, name, {"id": 1}, connection)
        connection.rollback()
    assert db.depth(name) == 0
    first = send(db, name, {"id": 1})
    assert queued(db, name) == [(first, {"id": 1})]


@pytest.mark.parametrize("ending", ["commit", "rollback"])
def test_of_two_senders_with_one_key_the_second_waits_for_the_first(db: RuntimeDb, ending: str) -> None:
    name = once(db)
    answers: list[int] = []
    with db.connect(autocommit=False) as one, db.connect() as two:
        first = send(db, name, {"id": 1, "by": "one"}, one)
        with db.background(lambda: answers.append(send(db, name, {"id": 1, "by": "two"}, two))):
            db.wait_until_blocked(two)
            assert answers == []
            getattr(one, ending)()
    [(ident, payload)] = queued(db, name)
    assert answers == [ident]
    assert payload == {"id": 1, "by": "one" if ending == "commit" else "two"}
    assert (ident == first) is (ending == "commit")


def test_a_repeated_key_holds_up_nobody(db: RuntimeDb) -> None:
    """A transaction that has only been told of an id that was there has taken nothing."""
    name = once(db)
    first = send(db, name, {"id": 1})
    with db.connect(autocommit=False) as one, db.connect() as two:
        assert send(db, name, {"id": 1}, one) == first
        two.execute("set lock_timeout = '1s'")
        assert send(db, name, {"id": 1}, two) == first


def test_two_calls_with_the_same_keys_in_opposite_orders_do_not_deadlock(db: RuntimeDb) -> None:
    name = once(db)
    rounds = 25
    gate = threading.Barrier(2, timeout=30)
    answers: dict[bool, list[list[int]]] = {False: [], True: []}

    def sender(connection: psycopg.Connection[Any], backwards: bool) -> None:
        for number in range(rounds):
            keys = [{"id": f"{number}-{i}"} for i in range(80)]
            gate.wait()
            ids = send_all(db, name, keys[::-1] if backwards else keys, connection)
            answers[backwards].append(ids[::-1] if backwards else ids)

    db.at_once(lambda c: sender(c, False), lambda c: sender(c, True))
    assert len(answers[False]) == rounds
    assert answers[False] == answers[True]
    assert db.depth(name) == rounds * 80


def test_many_senders_of_few_keys_leave_one_message_a_key(db: RuntimeDb) -> None:
    name = once(db)
    seen: dict[int, set[int]] = {i: set() for i in range(20)}

    def sender(connection: psycopg.Connection[Any], seed: int) -> None:
        generator = random.Random(seed)
        for _ in range(40):
            key = generator.randrange(20)
            seen[key].add(send(db, name, {"id": key}, connection))

    db.at_once(*[lambda c, s=s: sender(c, s) for s in range(6)])
    assert [len(ids) for ids in seen.values()] == [1] * 20
    assert db.depth(name) == 20


def test_table_triggers_and_schedules_heed_keys(db: RuntimeDb) -> None:
    name = once(db, "key.id")
    db.run(
        "drop table if exists public.things cascade; create table public.things (id int primary key, a int)"
    )
    for event, tables in (
        ("insert", "new table as orchestra_new"),
        ("update", "old table as orchestra_old new table as orchestra_new"),
    ):
        db.run(
            f"create trigger {name}_{event} after {event} on public.things referencing {tables} "
            f"for each statement execute function orchestra.on_table_change('{PROJECT}', '{name}', 'key', '[]')"
        )
    db.run("insert into public.things select i, 0 from generate_series(1, 3) i")
    db.run("update public.things set a = 1")
    assert [m["key"]["id"] for _, m in queued(db, name)] == [1, 2, 3]
    db.run("drop table public.things")

    name = once(db, "scheduled_for")
    db.schedule(name, every_ms=300_000)
    db.fire(name)
    [(ident, _)] = queued(db, name)
    db.run("delete from orchestra.fired where workload = %s", name)
    db.fire(name)
    assert [i for i, _ in queued(db, name)] == [ident]
    assert db.rows("select outcome, msg_id from orchestra.fired where workload = %s", name) == [
        ("enqueued", ident)
    ]


def test_a_dead_letter_is_sent_back_whatever_its_key(db: RuntimeDb) -> None:
    """It was enqueued once already: a sender is told of that message, an operator means it."""
    name = once(db, sql="select 1 / 0", max_attempts=1)
    first = send(db, name, {"id": 1})
    db.drain(name)
    assert send(db, name, {"id": 1}) == first
    assert db.depth(name) == 0
    assert db.one("select orchestra.redrive(%s, delay => '1 hour')", name) == 1
    [(again, payload)] = queued(db, name)
    assert (again != first, payload, seconds_ahead(db, name)) == (True, {"id": 1}, [3_600])
    assert db.one("select redriven_as from orchestra.dead_letter where workload = %s", name) == again


def test_a_key_of_a_pipeline_stands_for_its_run(db: RuntimeDb) -> None:
    name = once(db, sql=None, steps=ONE_STEP)
    run = send(db, name, {"id": 1})
    assert send(db, name, {"id": 1}) == run
    assert db.rows("select id from orchestra.run where workload = %s", name) == [(run,)]
    assert db.depth(name) == 1


# Debounce


def test_the_last_of_several_runs_when_nothing_follows(db: RuntimeDb) -> None:
    name = last(db)
    first = send(db, name, {"n": 1})
    assert seconds_ahead(db, name) == [10]
    db.run(f"update pgmq.q_{name} set vt = vt - interval '6 seconds'")
    assert send(db, name, {"n": 2}) == first
    assert queued(db, name) == [(first, {"n": 2})]
    assert seconds_ahead(db, name) == [10]


def test_a_message_that_has_been_handed_out_is_not_touched(db: RuntimeDb) -> None:
    name = last(db)
    first = send(db, name, {"n": 1})
    db.run(f"update pgmq.q_{name} set read_ct = 1, vt = now() + interval '30 seconds'")
    second = send(db, name, {"n": 2})
    assert second != first
    assert send(db, name, {"n": 3}) == second
    assert queued(db, name) == [(first, {"n": 1}), (second, {"n": 3})]
    assert seconds_ahead(db, name) == [30, 10]
    db.run(f"delete from pgmq.q_{name}")
    assert send(db, name, {"n": 4}) not in (first, second)


def test_a_message_that_is_being_claimed_is_waited_for_and_not_changed(db: RuntimeDb) -> None:
    name = last(db)
    first = send(db, name, {"n": 1})
    answers: list[int] = []
    with db.connect(autocommit=False) as claimer, db.connect() as sender:
        claimer.execute(f"update pgmq.q_{name} set read_ct = 1 where msg_id = %s", (first,))
        with db.background(lambda: answers.append(send(db, name, {"n": 2}, sender))):
            db.wait_until_blocked(sender)
            claimer.commit()
    assert queued(db, name) == [(first, {"n": 1}), (answers[0], {"n": 2})]


def test_values_of_the_key_are_debounced_by_themselves(db: RuntimeDb) -> None:
    name = last(db, "doc")
    one, other = send(db, name, {"doc": 1, "n": 1}), send(db, name, {"doc": 2, "n": 1})
    assert send(db, name, {"doc": 1, "n": 2}) == one
    assert queued(db, name) == [(one, {"doc": 1, "n": 2}), (other, {"doc": 2, "n": 1})]


def test_without_a_key_in_the_spec_all_payloads_are_of_one(db: RuntimeDb) -> None:
    name = last(db)
    assert len({send(db, name, p) for p in ({"doc": 1}, {"doc": 2}, 5, None)}) == 1
    assert db.depth(name) == 1


def test_a_payload_without_its_key_waits_for_nobody(db: RuntimeDb) -> None:
    name = last(db, "doc")
    assert send(db, name, {"n": 1}) != send(db, name, {"n": 1})
    assert seconds_ahead(db, name) == [0, 0]


def test_of_many_in_one_call_the_last_of_each_key_is_sent(db: RuntimeDb) -> None:
    name = last(db, "doc")
    ids = send_all(
        db, name, [{"doc": "b", "n": 1}, {"doc": "a", "n": 2}, {}, {"doc": "b", "n": 3}, {"doc": "a", "n": 4}]
    )
    b, a, none, b2, a2 = ids
    assert (b, a) == (b2, a2)
    assert dict(queued(db, name)) == {b: {"doc": "b", "n": 3}, a: {"doc": "a", "n": 4}, none: {}}
    again = send_all(db, name, [{"doc": "a", "n": i} for i in range(50)])
    assert set(again) == {a}
    assert dict(queued(db, name))[a] == {"doc": "a", "n": 49}


def test_headers_come_with_the_payload_they_belong_to(db: RuntimeDb) -> None:
    name = last(db)
    for headers in ('{"trace": 1}', '{"trace": 2}', None):
        db.run("select orchestra.send(%s, '{}', headers => %s::jsonb)", name, headers)
        expected = int(headers[10]) if headers else None
        assert db.one(f"select (headers ->> 'trace')::int from pgmq.q_{name}") == expected


def test_a_longer_delay_stays(db: RuntimeDb) -> None:
    name = last(db, delay_ms=60_000)
    send(db, name, {})
    assert seconds_ahead(db, name) == [60]
    db.run("select orchestra.send(%s, '{}', delay => '0')", name)
    assert seconds_ahead(db, name) == [10]


def test_a_debounce_that_is_rolled_back_leaves_payload_and_time(db: RuntimeDb) -> None:
    name = last(db)
    first = send(db, name, {"n": 1})
    db.run(f"update pgmq.q_{name} set vt = vt - interval '6 seconds'")
    with db.connect(autocommit=False) as connection:
        assert send(db, name, {"n": 2}, connection) == first
        connection.rollback()
    assert queued(db, name) == [(first, {"n": 1})]
    assert seconds_ahead(db, name) == [4]


def test_concurrent_senders_of_one_key_leave_one_message_of_the_last(db: RuntimeDb) -> None:
    name = last(db, "doc")
    ids: list[int] = []

    def sender(number: int) -> None:
        with db.connect() as connection:
            for i in range(25):
                ids.append(send(db, name, {"doc": i % 3, "n": number * 100 + i}, connection))
        with db.connect() as connection:
            ids.append(send(db, name, {"doc": 0, "n": "end"}, connection))

    with db.background(*[lambda n=n: sender(n) for n in range(6)]):
        pass
    assert len(ids) == 6 * 26
    assert len(set(ids)) == 3
    assert {m["n"] for _, m in queued(db, name) if m["doc"] == 0} == {"end"}
    assert db.depth(name) == 3


def test_opposite_orders_of_debounced_keys_do_not_deadlock(db: RuntimeDb) -> None:
    name = last(db, "doc")
    gate = threading.Barrier(2, timeout=30)
    done: list[int] = []

    def sender(connection: psycopg.Connection[Any], backwards: bool) -> None:
        payloads = [{"doc": i} for i in range(40)]
        for _ in range(15):
            gate.wait()
            done.extend(send_all(db, name, payloads[::-1] if backwards else payloads, connection))

    db.at_once(lambda c: sender(c, False), lambda c: sender(c, True))
    assert len(done) == 2 * 15 * 40
    assert db.depth(name) == 40


def test_a_debounced_pipeline_has_one_run_with_the_last_input(db: RuntimeDb) -> None:
    name = last(db, sql=None, steps=ONE_STEP)
    run = send(db, name, {"n": 1})
    assert send(db, name, {"n": 2}) == run
    assert db.rows("select id, status, input from orchestra.run where workload = %s", name) == [
        (run, "waiting", {"n": 2})
    ]
    [(_, payload)] = queued(db, name)
    assert payload == {"n": 2}
    db.make_visible(name)
    db.drain(name)
    assert db.rows("select status, input from orchestra.run where workload = %s", name) == [
        ("done", {"n": 2})
    ]
    assert send(db, name, {"n": 3}) != run


def test_debounce_and_idempotency_go_together(db: RuntimeDb) -> None:
    """What is repeated under a key has been heard; what comes under a new one takes the place of what waits."""
    name = last(db, idempotency_key="id")
    first = send(db, name, {"id": 1, "n": 1})
    assert send(db, name, {"id": 1, "n": 2}) == first
    assert send(db, name, {"id": 2, "n": 3}) == first
    assert queued(db, name) == [(first, {"id": 2, "n": 3})]
