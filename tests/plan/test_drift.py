"""What was changed by hand is found by name, said to be drift, and put right by the next apply."""

from __future__ import annotations

import pytest
from apply.shop import QUEUE, SHOP, Shop, assert_empty, change, said

TRIGGER = "orchestra_shop_send_receipts_insert"
EDITS = [
    (
        "select cron.schedule('orchestra:shop:purge-sessions', '1 1 * * *', $$select 1$$)",
        ["update cron_job.purge-sessions"],
        ["command", "schedule"],
    ),
    (
        "select cron.alter_job(jobid, schedule := '7 * * * *') from cron.job where jobname like '%nightly'",
        ["update cron_job.nightly"],
        ["schedule"],
    ),
    (
        "update orchestra.schedule set timezone = 'Asia/Tokyo' where workload = 'nightly'",
        ["update cron_job.nightly"],
        ["timezone"],
    ),
    (
        "select cron.alter_job(jobid, database := 'template1') from cron.job where jobname like '%nightly'",
        ["replace cron_job.nightly"],
        ["here"],
    ),
    (
        "update cron.job set nodename = '10.0.0.9', nodeport = 1 where jobname like '%nightly'",
        ["replace cron_job.nightly"],
        ["here"],
    ),
    ("select cron.unschedule('orchestra:shop:nightly')", ["create cron_job.nightly"], None),
    ("delete from orchestra.schedule where workload = 'nightly'", ["update cron_job.nightly"], None),
    ("select pgmq.drop_queue('send_receipts')", ["create queue.send-receipts"], None),
    ("drop table pgmq.q_send_receipts", ["update queue.send-receipts"], ["complete"]),
    ("drop table pgmq.a_send_receipts", ["update queue.send-receipts"], ["complete"]),
    (
        "update orchestra.workload set max_attempts = 99, sql = 'select 2' where name = 'send-receipts'",
        ["update workload.send-receipts"],
        ["max_attempts", "sql"],
    ),
    ("delete from orchestra.workload where name = 'purge-sessions'", None, None),
    (
        f"alter table app.orders disable trigger {TRIGGER}",
        ["update table_trigger.send-receipts"],
        ["enabled"],
    ),
    (f"drop trigger {TRIGGER} on app.orders", ["update table_trigger.send-receipts"], ["on"]),
    (
        f"create or replace trigger {TRIGGER} after insert on app.orders for each row "
        "execute function suppress_redundant_updates_trigger()",
        None,
        None,
    ),
    (
        "revoke execute on function public.enqueue_send_receipts(jsonb) from clerk",
        ["update grant.send-receipts"],
        ["roles"],
    ),
    (
        "grant execute on function public.enqueue_send_receipts(jsonb) to public",
        ["update grant.send-receipts"],
        ["roles"],
    ),
    (
        "alter function public.enqueue_send_receipts(jsonb) security invoker",
        ["update grant.send-receipts"],
        None,
    ),
    (
        "alter function public.enqueue_send_receipts(jsonb) reset search_path",
        ["update grant.send-receipts"],
        None,
    ),
    ("drop function public.enqueue_send_receipts(jsonb)", ["create grant.send-receipts"], None),
    ("delete from orchestra.project", ["create project.shop"], None),
    ("drop extension pg_cron", None, None),
    ("drop schema pgmq cascade", None, None),
]


@pytest.mark.parametrize(("edit", "changes", "fields"), EDITS, ids=[e[0][:60] for e in EDITS])
def test_an_edit_by_hand_is_drift_and_put_right(
    shop: Shop, edit: str, changes: list[str] | None, fields: list[str] | None
) -> None:
    shop.apply()
    shop.run(edit)
    plan = shop.plan()
    assert plan.blockers == ()
    assert any(c.drift for c in plan.changes)
    if changes is not None:
        assert said(plan) == changes
        assert change(plan, changes[0].split()[1]).drift
    if fields is not None:
        (only,) = plan.changes
        assert [f.path for f in only.fields] == fields
        assert only.reasons == (f"changed outside orchestra since the last apply: {', '.join(fields)}",)
    shop.apply_plan(plan)
    assert_empty(shop.plan())


@pytest.mark.parametrize("gone", ["q", "a"])
def test_a_spec_can_change_what_lost_its_queue(shop: Shop, gone: str) -> None:
    shop.apply()
    shop.run(f"drop table pgmq.{gone}_send_receipts")
    shop.apply(SHOP.replace("{max: 5s}", "{max: 6s}"))


@pytest.mark.parametrize(
    "gone", ["drop table pgmq.a_send_receipts", "select pgmq.drop_queue('send_receipts')"]
)
def test_a_project_that_lost_a_queue_can_be_destroyed(shop: Shop, gone: str) -> None:
    shop.apply()
    shop.run(gone)
    shop.destroy()
    assert_empty(shop.destroy_plan())


def test_a_change_of_the_spec_and_one_by_hand_are_told_apart(shop: Shop) -> None:
    shop.apply()
    shop.run("update orchestra.workload set delay_ms = 5 where name = 'send-receipts'")
    plan = shop.plan(SHOP.replace("poll_interval: 1m", "poll_interval: 1m\n    retry: {max_attempts: 9}"))
    assert change(plan, "workload.send-receipts").reasons == (
        "the spec changed max_attempts",
        "changed outside orchestra since the last apply: delay_ms",
    )


def test_a_trigger_on_columns_with_any_letters_is_no_drift(shop: Shop) -> None:
    shop.run('create table app."Größe" (id int primary key, "maß" int, "a""b\'c" int, "\\u" int)')
    spec = SHOP.replace("app.orders, on: [insert, update], columns: [total]", "REPLACE").replace(
        "REPLACE", "app.Größe, on: [insert, update], columns: [maß, 'a\"b''c', '\\u']"
    )
    shop.apply(spec)
    assert_empty(shop.plan(spec))


def test_a_broken_trigger_elsewhere_does_not_stop_a_plan(shop: Shop) -> None:
    shop.apply()
    shop.run(
        "create trigger theirs_insert after insert on app.sessions "
        "execute function orchestra.on_table_change('x', 'y', 'key', 'no json')"
    )
    assert_empty(shop.plan())


def test_a_statement_in_other_words_is_no_change_of_behaviour(shop: Shop) -> None:
    shop.apply(QUEUE)
    shop.run(
        "select cron.alter_job(jobid, command => 'CALL  orchestra.housekeep ( ''shop'' )') from cron.job "
        "where jobname like '%housekeep%'"
    )
    (changed,) = shop.plan(QUEUE).changes
    assert changed.category == "metadata"
    assert "written in other words, with the same meaning: command" in changed.reasons
