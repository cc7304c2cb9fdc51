"""The runtime in the database: a newer one is left alone, a damaged one is drift and repaired."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from apply.shop import QUEUE, Shop, assert_empty, change, said
from engines.supabase import install_pgmq
from engines.waiting import eventually

from orchestra import runtime
from orchestra.errors import VersionError

DAMAGES = [
    "create or replace function orchestra.find_workload(name text) returns orchestra.workload "
    "language sql set search_path = '' as 'select null::orchestra.workload'",
    "grant execute on all functions in schema orchestra to anon",
    "grant execute on function orchestra.pause(text, text) to public",
    "alter function orchestra.on_table_change() security invoker",
    "alter function orchestra.on_table_change() reset search_path",
    "drop function orchestra.pause(text, text)",
    "drop procedure orchestra.housekeep(text)",
    "grant select on orchestra.workload to anon",
    "grant usage on schema orchestra to public",
    "alter table orchestra.dead_letter disable row level security",
]


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_runtime_is_drift_and_repaired(shop: Shop, damage: str) -> None:
    shop.run("create role anon")
    shop.apply(QUEUE)
    shop.run(damage)
    plan = shop.plan(QUEUE)
    assert said(plan) == ["update runtime.orchestra"]
    shop.apply_plan(plan)
    assert_empty(shop.plan(QUEUE))


def test_what_others_put_into_the_schema_is_not_ours(shop: Shop) -> None:
    shop.apply(QUEUE)
    shop.run("create function orchestra.of_ours() returns int language sql as 'select 1'")
    shop.run("create table orchestra.of_ours (n int)")
    assert_empty(shop.plan(QUEUE))
    shop.apply(QUEUE.replace("5s", "6s"))
    assert shop.engine.execute("select orchestra.of_ours()") == [(1,)]


def test_a_newer_runtime_is_not_touched(shop: Shop) -> None:
    shop.apply(QUEUE)
    plan = shop.plan(QUEUE.replace("5s", "6s"))
    shop.run("update orchestra.version set version = 99, oldest_tool = '7.1.0'")
    before = shop.state()
    with pytest.raises(VersionError, match="holds version 99 of the runtime") as caught:
        shop.plan(QUEUE)
    assert "upgrade orchestra to 7.1.0" in caught.value.remedy
    with pytest.raises(VersionError):
        shop.destroy_plan()
    with pytest.raises(VersionError):
        shop.apply_plan(plan)
    psql = shop.engine.psql(shop.compiled(QUEUE), check=False)
    assert "the runtime here has version 99" in psql
    assert shop.state() == before


def test_a_runtime_of_an_earlier_version_is_brought_forward(shop: Shop) -> None:
    shop.apply(QUEUE)
    shop.run("update orchestra.version set oldest_tool = '0.0.1'")
    shop.run("drop function orchestra.pause(text, text)")
    plan = shop.plan(QUEUE)
    assert change(plan, "runtime.orchestra").action == "update"
    shop.apply_plan(plan)
    assert_empty(shop.plan(QUEUE))


def version_1(shop: Shop, spec: str) -> None:
    """A database as version 1 has made it from this spec."""
    script = Path(__file__).with_name("version_1.sql").read_text()
    shop.run("create extension if not exists pg_cron")
    if shop.engine.is_embedded:
        shop.run("create extension if not exists pgmq")
    else:
        install_pgmq(shop.engine)
    shop.engine.psql(script)
    # What compiled SQL says beside the runtime was the same then.
    before, _, rest = shop.compiled(spec).partition("-- runtime.orchestra\n")
    shop.engine.psql(before + "-- project." + rest.partition("-- project.")[2])
    shop.run("update orchestra.project set gate = 'open', environment = 'default'")


def drain(shop: Shop) -> None:
    with psycopg.connect(shop.engine.dsn, autocommit=True) as connection:
        connection.execute("call orchestra.drain_sql('shop', 'import', 1)")


def test_a_database_of_version_1_is_brought_forward_with_all_that_is_in_it(shop: Shop) -> None:
    """Its functions had other arguments, its tables fewer columns; its messages, notes and letters are kept."""
    spec = QUEUE.replace("select 1", "select 1 / (:payload ->> 'n')::int").replace(
        "duration: {max: 5s}", "duration: {max: 5s}\n    retry: {max_attempts: 2, backoff: {initial: 1ms}}"
    )
    version_1(shop, spec)
    shop.run("select orchestra.send('import', '{\"n\": 0}')")
    for _ in range(2):
        drain(shop)
    shop.run("select orchestra.send('import', '{\"n\": 1}')")
    assert shop.one("select version from orchestra.version") == 1
    assert shop.one("select count(*) from orchestra.dead_letter") == 1

    plan = shop.plan(spec)
    assert said(plan) == ["update runtime.orchestra"]
    shop.apply_plan(plan)
    assert_empty(shop.plan(spec))
    assert shop.one("select version from orchestra.version") == runtime.VERSION
    assert shop.one("select orchestra.send('import', '{\"n\": 2}', idempotency_key => 'k')") == 3
    drain(shop)
    assert shop.one("select count(*) from pgmq.q_import") == 0
    assert shop.one("select orchestra.redrive('import')") == 1
    assert shop.one("select count(*) from pgmq.q_import") == 1


def test_a_worker_of_version_1_that_is_at_work_spends_no_attempt_of_what_waits(shop: Shop) -> None:
    """It goes on with the code that it began with, and must not claim what it cannot settle."""
    spec = QUEUE.replace("select 1", "select pg_sleep((:payload ->> 'n')::int)").replace(
        "duration: {max: 5s}", "duration: {max: 5s}\n    retry: {max_attempts: 2, backoff: {initial: 1ms}}"
    )
    version_1(shop, spec)
    shop.run("select orchestra.send('import', '{\"n\": 2}')")
    shop.run(
        "select orchestra.send_many('import', array(select '{\"n\": 0}'::jsonb from generate_series(1, 50)))"
    )
    with ThreadPoolExecutor(1) as pool:
        old = pool.submit(drain, shop)
        eventually(lambda: shop.one("select count(*) from orchestra.slot where held <> '{}'") == 1)
        shop.apply_plan(shop.plan(spec))
        with pytest.raises(psycopg.errors.UndefinedFunction):
            old.result(timeout=30)
    assert shop.one("select count(*) from pgmq.q_import where read_ct > 0") == 1
    shop.run("update pgmq.q_import set message = '{\"n\": 0}'")
    eventually(lambda: drain(shop) or shop.one("select count(*) from pgmq.q_import") == 0)
    assert shop.one("select count(*) from orchestra.dead_letter") == 0
