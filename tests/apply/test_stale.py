"""What changed between plan and apply is named and refuses the plan; what changed elsewhere does not matter."""

from __future__ import annotations

import pytest

from apply.shop import QUEUE, SHOP, Shop, assert_empty
from orchestra.errors import StalePlanError

MORE = (
    SHOP.replace("{max: 5s}", "{max: 6s}")
    .replace("[clerk]", "[clerk, cook]")
    .replace('"*/15 * * * *"', '"*/20 * * * *"')
    .replace("columns: [total]", "columns: [total, id]")
)

EDITS = [
    ("workload.send-receipts", "update orchestra.workload set delay_ms = 9 where name = 'send-receipts'"),
    ("workload.send-receipts", "select orchestra.pause('shop', 'send-receipts')"),
    ("workload.send-receipts", "delete from orchestra.workload where name = 'send-receipts'"),
    (
        "workload.send-receipts",
        "update orchestra.registry set applied = '{}' where address = 'workload.send-receipts'",
    ),
    ("workload.send-receipts", "delete from orchestra.registry where address = 'workload.send-receipts'"),
    ("grant.send-receipts", "revoke all on function public.enqueue_send_receipts(jsonb) from clerk"),
    ("grant.send-receipts", "drop function public.enqueue_send_receipts(jsonb)"),
    ("cron_job.purge-sessions", "select cron.unschedule('orchestra:shop:purge-sessions')"),
    (
        "cron_job.purge-sessions",
        "select cron.alter_job(jobid, schedule := '1 1 1 1 *') from cron.job where jobname like '%purge-sessions'",
    ),
    (
        "cron_job.purge-sessions",
        "select cron.alter_job(jobid, active := false) from cron.job where jobname like '%purge-sessions'",
    ),
    ("table_trigger.send-receipts", "drop trigger orchestra_shop_send_receipts_update on app.orders"),
    (
        "table_trigger.send-receipts",
        "alter table app.orders disable trigger orchestra_shop_send_receipts_update",
    ),
]


@pytest.mark.parametrize(("address", "edit"), EDITS, ids=[e[:60] for _, e in EDITS])
def test_an_edit_between_plan_and_apply_is_refused_by_name(shop: Shop, address: str, edit: str) -> None:
    shop.run("create role cook")
    shop.apply()
    plan = shop.plan(MORE)
    shop.run(edit)
    before = shop.state()
    with pytest.raises(StalePlanError, match=f"^{address} has changed since the plan was made") as caught:
        shop.apply_plan(plan)
    assert caught.value.exit_code == 3
    assert shop.state() == before


@pytest.mark.parametrize(
    ("address", "make"),
    [
        ("queue.send-receipts", "select pgmq.create('send_receipts')"),
        ("cron_job.nightly", "select cron.schedule('orchestra:shop:nightly', '5 5 * * *', 'select 5')"),
        (
            "grant.send-receipts",
            "create function public.enqueue_send_receipts(payload jsonb) returns bigint "
            "language sql as 'select 5::bigint'",
        ),
        (
            "table_trigger.send-receipts",
            "create trigger orchestra_shop_send_receipts_insert after insert on app.orders "
            "execute function suppress_redundant_updates_trigger()",
        ),
    ],
)
def test_an_object_made_between_plan_and_apply_is_not_taken(shop: Shop, address: str, make: str) -> None:
    shop.apply(QUEUE, project="first")
    plan = shop.plan()
    shop.run(make)
    with pytest.raises(StalePlanError, match=f"^{address} has changed"):
        shop.apply_plan(plan)


def test_a_queue_dropped_after_its_removal_was_planned_refuses_the_plan(shop: Shop) -> None:
    shop.apply()
    plan = shop.destroy_plan(allow_destroy=True)
    shop.run("select pgmq.drop_queue('send_receipts')")
    with pytest.raises(StalePlanError, match=r"^queue\.send-receipts has changed"):
        shop.apply_plan(plan)


def test_changes_elsewhere_do_not_matter(shop: Shop) -> None:
    shop.apply()
    plan = shop.plan(SHOP.replace("{max: 5s}", "{max: 6s}"))
    shop.apply(QUEUE, project="other")
    shop.run("create table app.more (id int primary key)")
    shop.run("alter table app.orders add column more int")
    shop.run("select pgmq.create('theirs')")
    shop.run("select cron.schedule('theirs', '* * * * *', 'select 1')")
    shop.run("select cron.alter_job(jobid, active := false) from cron.job where jobname like '%nightly'")
    shop.run("select pgmq.send('send_receipts', '{}')")
    shop.run("insert into app.orders values (1, 1)")
    shop.apply_plan(plan)
    assert_empty(shop.plan(SHOP.replace("{max: 5s}", "{max: 6s}")))


def test_a_plan_that_was_applied_is_stale(shop: Shop) -> None:
    plan = shop.plan()
    shop.apply_plan(plan)
    before = shop.state()
    with pytest.raises(StalePlanError):
        shop.apply_plan(plan)
    assert shop.state() == before
