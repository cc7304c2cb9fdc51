"""The whole cycle as the role of a hosted project: no superuser, its own tables, on every engine."""

from __future__ import annotations

import pytest

from apply.shop import SHOP, Shop, assert_empty, said
from orchestra.errors import ApplyError

MORE = SHOP.replace("{max: 5s}", "{max: 6s}").replace("columns: [total]", "columns: [total, id]")


def test_plan_apply_and_destroy_as_a_role_that_is_no_superuser(hosted: Shop) -> None:
    shop = hosted
    assert shop.db.rows("select rolsuper from pg_roles where rolname = current_user") == [{"rolsuper": False}]
    plan = shop.apply()
    assert "create extension.pg_cron" not in said(plan)
    assert_empty(shop.plan())
    shop.db.rows("select orchestra.pause('shop')")  # no worker of the real pg_cron takes what is sent
    shop.db.rows("insert into app.orders values (1, 5)")
    assert shop.db.rows("select message ->> 'op' as op from pgmq.q_send_receipts") == [{"op": "insert"}]
    shop.db.rows("set role clerk")
    shop.db.rows("""select public.enqueue_send_receipts('{"n": 3}')""")
    shop.db.rows("reset role")
    assert_empty(shop.plan())
    shop.apply(MORE)
    assert_empty(shop.plan(MORE))
    shop.engine.psql(shop.compiled(MORE), user="postgres_like")
    assert_empty(shop.plan(MORE))
    shop.destroy(allow=frozenset({"messages:queue.send-receipts=2"}))
    assert_empty(shop.destroy_plan())
    assert shop.db.rows("select jobname from cron.job") == []
    assert shop.db.rows("select queue_name from pgmq.meta") == []


def test_a_superusers_table_is_refused_in_a_sentence(hosted: Shop) -> None:
    hosted.run("create table app.theirs (id int primary key)")
    spec = SHOP.replace("name: app.orders", "name: app.theirs").replace(", columns: [total]", "")
    plan = hosted.plan(spec)
    (blocker,) = plan.blockers
    assert (blocker.code, blocker.message) == ("table", "this role may not put a trigger on app.theirs")
    with pytest.raises(ApplyError, match="may not put a trigger"):
        hosted.apply_plan(plan)
