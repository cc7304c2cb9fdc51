"""The whole system on the pgmq of hosted projects, which is years older than the one that is carried."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from engines import Engine
from engines.supabase import ROLE
from runtime.runtime_db import RuntimeDb

from acceptance import older_pgmq
from acceptance.live import apply, assert_settled, plan
from orchestra.errors import RequirementError
from orchestra.pipeline import PlanOptions
from orchestra.spec import parse_spec
from orchestra.spec.model import Spec

HEAD = "version: 1\nproject: shop\nplatform: {provider: supabase, plan: pro}\n"
TABLES = "create schema app; create table app.orders (id int primary key, parts int)"
MAIL = """
  mail:
    trigger: [manual, {table: {name: app.orders, on: [insert], payload: new}}]
    duration: {max: 5s}
    poll_interval: 1m
    retry: {max_attempts: 1}
    retention: {completed: 1d}
    run: {sql: "select 12 / (:payload #>> '{row,parts}')::int"}
"""
LABEL = """
  label:
    trigger: [manual, {http: {auth: secret}}]
    duration: {max: 5s}
    poll_interval: 1m
    retention: {completed: 1d}
    fan_out: {max: 10}
"""
SCRATCH = """
  scratch:
    trigger: manual
    duration: {max: 5s}
    poll_interval: 1m
    queue: {kind: unlogged}
    run: {sql: "select 1"}
"""
PIPELINE = """
  report:
    trigger: manual
    poll_interval: 1m
    steps:
      collect: {duration: {max: 5s}, run: {sql: "select 20 as found"}}
      publish: {depends_on: [collect], duration: {max: 5s}, run: {sql: "select 1"}}
"""


def spec_of(workloads: str, requires: str = "") -> Spec:
    result = parse_spec(f"{HEAD}{requires}workloads:{workloads}")
    assert result.spec is not None, result.diagnostics
    return result.spec


SHOP = spec_of(MAIL + LABEL + SCRATCH)


@pytest.fixture(params=older_pgmq.LACKING)
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def old(embedded: Engine, version: str) -> Iterator[RuntimeDb]:
    """A hosted project with a pgmq of that version and the tables of the app, and nothing of orchestra's."""
    hosted = older_pgmq.install(embedded, version)
    db = RuntimeDb(embedded, hosted.dsn)
    db.run(TABLES)
    yield db
    db.close()


@pytest.fixture
def shop(old: RuntimeDb) -> RuntimeDb:
    """The same with the spec applied."""
    apply(old.engine, SHOP, user=ROLE)
    return old


def columns(db: RuntimeDb, table: str) -> set[str]:
    return {
        row[0]
        for row in db.rows(
            "select attname from pg_attribute where attrelid = to_regclass(%s) and attnum > 0 and not attisdropped",
            table,
        )
    }


def order(db: RuntimeDb, number: int, parts: int) -> None:
    db.run("insert into app.orders values (%s, %s)", number, parts)


def contract(db: RuntimeDb) -> str:
    return str(db.one("select contract from orchestra.workload where name = 'label'"))


def test_what_is_applied_is_settled(shop: RuntimeDb, version: str) -> None:
    assert_settled(shop.engine, SHOP, user=ROLE)
    assert shop.rows("select queue_name, is_unlogged from pgmq.meta order by 1") == [
        ("label", False),
        ("mail", False),
        ("scratch", True),
    ]
    messages = {"msg_id", "read_ct", "enqueued_at", "vt", "message", "headers", "last_read_at"}
    for queue in ("label", "mail", "scratch"):
        assert columns(shop, f"pgmq.q_{queue}") == messages - set(older_pgmq.LACKING[version])
    members = "select count(*) from pg_depend where deptype = 'e' and objid = any(%s::regclass[])"
    tables = ["pgmq.q_mail", "pgmq.a_mail"]
    assert shop.one(members, tables) == (0 if version == "1.11.1" else 2)


def test_a_plan_knows_how_old_pgmq_is(old: RuntimeDb, version: str) -> None:
    minor = int(version.split(".")[1])
    needs = 'requires:\n  - {extension: pgmq, version: ">=1.%s"}\n'
    assert plan(old.engine, spec_of(MAIL, needs % minor), user=ROLE).changes
    with pytest.raises(RequirementError, match=f"the extension pgmq >=1.{minor + 1}"):
        plan(old.engine, spec_of(MAIL, needs % (minor + 1)), user=ROLE)


def test_rows_of_a_table_are_worked_off_and_archived(shop: RuntimeDb) -> None:
    order(shop, 1, 3)
    order(shop, 2, 4)
    shop.drain("mail")
    assert shop.depth("mail") == 0
    assert shop.rows("select message -> 'row' from pgmq.a_mail order by msg_id") == [
        ({"id": 1, "parts": 3},),
        ({"id": 2, "parts": 4},),
    ]


def test_a_message_of_pgmqs_own_send_is_worked_off(shop: RuntimeDb) -> None:
    shop.run("""select pgmq.send('mail', '{"row": {"parts": 2}}'::jsonb, 0)""")
    shop.drain("mail")
    assert shop.rows("select message, read_ct from pgmq.a_mail") == [({"row": {"parts": 2}}, 1)]


def test_what_fails_is_buried_and_comes_back(shop: RuntimeDb) -> None:
    order(shop, 1, 0)
    [message] = shop.rows("select msg_id, message from pgmq.q_mail")
    shop.drain("mail")
    assert shop.depth("mail") == 0
    assert shop.rows("select msg_id, payload, error from orchestra.dead_letter") == [
        (*message, "division by zero")
    ]
    assert shop.one("select orchestra.redrive('mail')") == 1
    assert shop.rows("select message from pgmq.q_mail") == [(message[1],)]


def test_headers_are_taken_where_there_are_any(shop: RuntimeDb, version: str) -> None:
    send = """select orchestra.send('scratch', '1', headers => '{"trace": 7}')"""
    if version == "1.4.4":
        with pytest.raises(psycopg.errors.FeatureNotSupported, match="takes no headers"):
            shop.run(send)
    else:
        shop.run(send)
        assert shop.rows("select headers from pgmq.q_scratch") == [({"trace": 7},)]


def test_a_function_takes_renews_and_settles_messages(shop: RuntimeDb) -> None:
    shop.send_many("label", 4)
    worker = shop.worker("label", contract(shop))
    first = worker.turn(4)
    assert [(m[1], m[3], m[4]) for m in first.given] == [(1, n, None) for n in (1, 2, 3, 4)]
    assert sorted(worker.turn(0, seq=worker.seq).given) == sorted(first.given)
    done, failed, returned, kept = first.ids
    settled = worker.turn(
        0, ack=[done], back=[returned], fails=[{"id": str(failed), "error": "hopeless", "code": "ORC01"}]
    )
    assert (settled.verdict, settled.late) == ("go", [])
    assert worker.extend() == []
    assert shop.rows("select msg_id, message from pgmq.a_label") == [(done, 1)]
    assert [d[0] for d in shop.dead("label")] == [failed]
    assert worker.turn(4).ids == [returned]
    worker.leave([returned, kept])
    assert shop.depth("label") == 2


def test_items_of_a_request_are_enqueued(shop: RuntimeDb, version: str) -> None:
    """They are counted together in a run where messages can carry its number."""
    verdict, run, ids = shop.enqueue("label", [1, 2])
    assert (verdict, len(ids)) == ("go", 2)
    assert (run is None) == (version == "1.4.4")
    assert shop.rows("select message from pgmq.q_label order by msg_id") == [(1,), (2,)]


def test_the_jobs_of_each_minute_run(shop: RuntimeDb) -> None:
    order(shop, 1, 3)
    order(shop, 2, 3)
    shop.drain("mail")
    shop.run("update pgmq.a_mail set archived_at = now() - interval '2 days' where msg_id = 1")
    order(shop, 3, 3)
    shop.tick(60_000)
    shop.housekeep()
    assert shop.rows("select msg_id from pgmq.a_mail") == [(2,)]
    assert shop.rows(
        "select workload, depth, dead_letters, fault from orchestra.status('shop') order by workload"
    ) == [("label", 0, 0, None), ("mail", 1, 0, None), ("scratch", 0, 0, None)]


def test_a_pipeline_is_refused_where_messages_carry_no_headers(old: RuntimeDb, version: str) -> None:
    spec = spec_of(PIPELINE)
    if version == "1.4.4":
        assert [b.code for b in plan(old.engine, spec, user=ROLE).blockers] == ["no_headers"]
        return
    apply(old.engine, spec, user=ROLE)
    run = old.send("report")
    for _ in range(3):
        old.drain("report")
    assert old.rows("select id, status from orchestra.run") == [(run, "done")]


def test_queues_are_destroyed_and_made_again(shop: RuntimeDb) -> None:
    shop.send_many("scratch", 1)
    [(last,)] = shop.rows("select msg_id from pgmq.q_scratch")
    nothing = spec_of(" {}\n")
    asked = plan(shop.engine, nothing, PlanOptions(allow_destroy=True), user=ROLE)
    assert [b.remedy for b in asked.blockers] == ["approve it with --allow messages:queue.scratch=1"]
    word = frozenset({"messages:queue.scratch=1"})
    apply(shop.engine, nothing, PlanOptions(allow_destroy=True, allow=word), user=ROLE)
    assert shop.rows("select queue_name from pgmq.meta") == []
    assert columns(shop, "pgmq.q_scratch") == columns(shop, "pgmq.a_mail") == set()
    apply(shop.engine, SHOP, user=ROLE)
    assert_settled(shop.engine, SHOP, user=ROLE)
    assert shop.send("scratch") > last + 1_000_000


def test_a_queue_that_an_older_pgmq_has_made_is_adopted(old: RuntimeDb) -> None:
    """With all attempts for what its former consumer has read and not finished."""
    old.run("select pgmq.create('mail')")
    old.run("""select pgmq.send('mail', '{"row": {"parts": 2}}'::jsonb, 0)""")
    for _ in range(3):
        assert len(old.rows("select msg_id from pgmq.read('mail', 0, 1)")) == 1
    spec = spec_of(MAIL)
    assert [b.code for b in plan(old.engine, spec, user=ROLE).blockers] == ["unowned"]
    apply(old.engine, spec, PlanOptions(adopt=frozenset({"queue.mail"})), user=ROLE)
    assert_settled(old.engine, spec, user=ROLE)
    old.drain("mail")
    assert (old.depth("mail"), old.one("select count(*) from pgmq.a_mail")) == (0, 1)
