"""Enqueueing: guarantee 1, names, delays, headers, the layouts of pgmq, and who may."""

from __future__ import annotations

from datetime import timedelta

import psycopg
import pytest

from runtime.runtime_db import RuntimeDb

ENGINES = ("embedded", "pg17", "pg15")


def test_a_message_that_is_rolled_back_was_never_sent(db: RuntimeDb) -> None:
    name = db.queue()
    with db.connect(autocommit=False) as connection:
        connection.execute("select orchestra.send(%s, '{}')", (name,))
        connection.rollback()
        assert db.depth(name) == 0
        connection.execute("select orchestra.send(%s, '{}')", (name,))
        assert db.depth(name) == 0
        connection.commit()
    assert db.depth(name) == 1


def test_many_are_sent_at_once_and_their_ids_are_in_order(db: RuntimeDb) -> None:
    name = db.queue()
    ids = db.one(
        "select orchestra.send_many(%s, array(select to_jsonb(i) from generate_series(1, 500) i))", name
    )
    assert db.rows(f"select message::int from pgmq.q_{name} order by array_position(%s, msg_id)", ids) == [
        (i,) for i in range(1, 501)
    ]
    assert db.one("select orchestra.send_many(%s, '{}')", name) == []


def test_a_delay_is_the_callers_or_else_the_workloads(db: RuntimeDb) -> None:
    name = db.queue(delay_ms=60_000)
    own = db.send(name)
    given = db.send(name, delay="10 minutes")
    none = db.send(name, delay="0")
    past = db.send(name, delay="-1 day")
    seconds = dict(
        db.rows(f"select msg_id, round(extract(epoch from vt - clock_timestamp()))::int from pgmq.q_{name}")
    )
    assert (seconds[own], seconds[given], seconds[none], seconds[past]) == (60, 600, 0, 0)


def test_a_delay_counts_from_the_very_call(db: RuntimeDb) -> None:
    """Not from the beginning of its transaction."""
    name = db.queue(delay_ms=90_000)
    clock = "select clock_timestamp()"
    with db.main.transaction():
        before = db.one(clock)
        own = db.send(name)
        many = db.one("select orchestra.send_many(%s, array['2', '3']::jsonb[], '2 hours')", name)
        after = db.one(clock)
    visible = dict(db.rows(f"select msg_id, vt from pgmq.q_{name}"))
    assert before + timedelta(seconds=90) <= visible[own] <= after + timedelta(seconds=90)
    assert before + timedelta(hours=2) <= visible[many[0]] == visible[many[1]] <= after + timedelta(hours=2)


@pytest.mark.parametrize("kind", ["sql", "edge"])
def test_what_is_scheduled_is_visible_from_that_very_moment(db: RuntimeDb, kind: str) -> None:
    """Whatever the delays are."""
    name = db.queue(delay_ms=60_000) if kind == "sql" else db.edge(delay_ms=60_000)
    later, past = db.one("select now() + interval '1 hour 1 microsecond', now() - interval '1 day'")
    send = "select orchestra.send(%s, '1', scheduled_at => %s)"
    first, gone = db.one(send, name, later), db.one(send, name, past)
    second = db.one("select orchestra.send(%s, '1', '5 minutes', scheduled_at => %s)", name, later)
    many = db.one("select orchestra.send_many(%s, array['2', '3']::jsonb[], scheduled_at => %s)", name, later)
    assert dict(db.rows(f"select msg_id, vt from pgmq.q_{name}")) == {
        gone: past,
        **dict.fromkeys([first, second, *many], later),
    }
    if kind == "sql":
        db.drain(name)
    else:
        assert db.worker(name).turn(10).ids == [gone]
    assert db.rows(f"select msg_id from pgmq.q_{name} where read_ct = 0 order by 1") == [
        (waiting,) for waiting in (first, second, *many)
    ]


def test_a_name_in_two_projects_has_to_be_qualified(db: RuntimeDb) -> None:
    name = db.queue()
    db.run("select pgmq.create(%s)", f"{name}_b")
    db.insert_workload(
        name,
        {
            "project": "other",
            "pattern": "queue",
            "sql": "select",
            "queue_name": f"{name}_b",
            "timeout_ms": 1,
            "visibility_timeout_ms": 1,
            "poll_interval_ms": 1,
        },
    )
    with pytest.raises(psycopg.Error, match=f"workload {name} exists in the projects other, shop") as caught:
        db.send(name)
    assert caught.value.sqlstate == "ORC21"
    assert caught.value.diag.message_hint == f"Say which: other/{name}"
    db.send(f"shop/{name}")
    assert db.depth(name) == 1


@pytest.mark.parametrize("name", ["nobody", "shop/nobody", "nobody/", "/", ""])
def test_an_unknown_workload_is_an_error(db: RuntimeDb, name: str) -> None:
    with pytest.raises(psycopg.Error, match="there is no workload") as caught:
        db.send(name)
    assert caught.value.sqlstate == "ORC20"


def test_a_workload_without_a_queue_takes_no_messages(db: RuntimeDb) -> None:
    name = db.scheduled()
    with pytest.raises(psycopg.Error, match="has no queue") as caught:
        db.send(name)
    assert caught.value.sqlstate == "ORC22"
    with pytest.raises(psycopg.Error, match="has no queue") as caught:
        db.run("select orchestra.redrive(%s)", name)
    assert caught.value.sqlstate == "ORC22"


def test_a_paused_workload_takes_messages(db: RuntimeDb) -> None:
    name = db.queue(paused=True)
    db.send(name)
    db.drain(name)
    assert db.depth(name) == 1


def test_headers_travel_beside_the_payload(db: RuntimeDb) -> None:
    name = db.queue()
    db.run("""select orchestra.send(%s, '{"a": 1}', headers => '{"run": 7}')""", name)
    assert db.rows(f"select message, headers from pgmq.q_{name}") == [({"a": 1}, {"run": 7})]


def test_the_layout_of_pgmq_1_4_has_no_headers(db: RuntimeDb) -> None:
    name = db.queue("select 1 / 0", max_attempts=1)
    for table in (f"q_{name}", f"a_{name}"):
        db.run(f"alter table pgmq.{table} drop column headers, drop column last_read_at")
    with pytest.raises(psycopg.errors.FeatureNotSupported, match="takes no headers"):
        db.run("select orchestra.send(%s, '{}', headers => '{}')", name)
    db.send(name, '{"a": 1}')
    db.drain(name)
    assert db.rows("select payload, headers, error from orchestra.dead_letter where workload = %s", name) == [
        ({"a": 1}, None, "division by zero")
    ]
    db.run("select orchestra.redrive(%s)", name)
    db.alter(name, sql="select")
    db.drain(name)
    assert db.depth(name) == 0


def test_the_service_role_may_enqueue_and_read_nothing(db: RuntimeDb) -> None:
    name = db.queue()
    with db.connect() as connection:
        connection.execute("set role service_role")
        connection.execute("select orchestra.send(%s, '{}')", (name,))
        connection.execute("select orchestra.send_many(%s, array['{}'::jsonb])", (name,))
        for query in (
            "select * from orchestra.workload",
            "select orchestra.pause('shop')",
            f"select * from pgmq.q_{name}",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(query)
    assert db.depth(name) == 2


@pytest.mark.parametrize("role", ["anon", "authenticated"])
def test_the_roles_of_the_api_may_do_nothing(db: RuntimeDb, role: str) -> None:
    name = db.queue()
    with db.connect() as connection:
        connection.execute(f"set role {role}")
        for query in ("select orchestra.send(%s, '{}')", "select * from orchestra.workload where name = %s"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(query, (name,))
