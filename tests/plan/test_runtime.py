"""The runtime in the database: a newer one is left alone, a damaged one is drift and repaired."""

from __future__ import annotations

import pytest
from apply.shop import QUEUE, Shop, assert_empty, change, said

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
