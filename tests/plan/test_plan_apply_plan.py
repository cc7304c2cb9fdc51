"""The promise of every apply: the next plan is empty, also after the compiled SQL ran, and again after a removal."""

from __future__ import annotations

from apply.shop import NOTHING, SHOP, Shop, assert_empty, said
from engines.supabase import install_pgmq


def test_a_plan_after_an_apply_is_empty(shop: Shop) -> None:
    shop.apply()
    assert_empty(shop.plan())


def test_compiled_sql_and_apply_bring_about_the_same(shop: Shop) -> None:
    shop.apply()
    before = [line for line in shop.state() if not line.startswith("entry")]
    for _ in range(2):
        shop.engine.psql(shop.compiled())
        assert_empty(shop.plan())
    assert [line for line in shop.state() if not line.startswith("entry")] == before


def test_after_compiled_sql_alone_only_the_gate_is_left_to_open(shop: Shop) -> None:
    install_pgmq(shop.engine)
    shop.engine.psql(shop.compiled())
    plan = shop.plan()
    assert said(plan) == ["update project.shop"]
    shop.apply_plan(plan)
    assert_empty(shop.plan())


def test_a_project_that_lost_all_its_workloads_leaves_nothing_but_the_project(shop: Shop) -> None:
    shop.apply()
    shop.apply(NOTHING, allow_destroy=True)
    assert_empty(shop.plan(NOTHING))
    assert shop.one("select count(*) from cron.job") == 0
    assert (
        shop.one(
            "select count(*) from pg_trigger where not tgisinternal and tgrelid = 'app.orders'::regclass"
        )
        == 0
    )
    shop.apply(SHOP)
    assert_empty(shop.plan())
