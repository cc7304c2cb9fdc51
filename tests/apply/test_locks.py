"""Locks are finite: of the server's lock table as of the app's own tables."""

from __future__ import annotations

import pytest

from apply.shop import QUEUE, SHOP, Shop, assert_empty, said
from orchestra.apply import batch
from orchestra.errors import ApplyError

MANY = 900


def _queues(number: int, seconds: int = 5) -> str:
    one = QUEUE.partition("\n")[2].replace("poll_interval: 1m", "poll_interval: 5m")
    one = one.replace("5s", f"{seconds}s")
    return "workloads:\n" + "".join(one.replace("import", f"w{n}") for n in range(number))


def test_nine_hundred_queues_are_made_changed_and_dropped_in_batches_told_beforehand(shop: Shop) -> None:
    slots = (
        "select current_setting('max_locks_per_transaction')::int * current_setting('max_connections')::int"
    )
    assert shop.one(slots) == 6400
    plan = shop.plan(_queues(MANY))
    assert len(plan.batches) > 1
    assert sum(plan.batches) == len(plan.changes)
    applied = shop.apply_plan(plan)
    assert applied.batches == len(plan.batches) == len(applied.deployment_ids)
    assert shop.run("select distinct batches, count(*) from orchestra.deployment group by 1") == [
        (applied.batches, applied.batches)
    ]
    assert_empty(shop.plan(_queues(MANY)))
    shop.apply(_queues(MANY, seconds=6))
    plan = shop.destroy()
    assert len(plan.batches) > 1
    assert shop.one("select count(*) from pgmq.meta") == 0
    assert_empty(shop.destroy_plan())


def test_a_table_that_somebody_holds_ends_the_apply_soon_and_whole(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch, "BEGIN", batch.BEGIN.replace("lock_timeout = '10s'", "lock_timeout = '1s'"))
    shop.apply(QUEUE, project="first")
    plan = shop.plan()
    before = shop.state()
    holder = shop.engine.connect()
    holder.execute("lock table app.orders in access exclusive mode")
    with pytest.raises(ApplyError, match=r"^table_trigger\.send-receipts: .*lock timeout") as caught:
        shop.apply_plan(plan)
    assert "everything was rolled back. somebody holds a lock on it" in caught.value.remedy
    holder.rollback()
    assert shop.state() == before
    shop.apply_plan(plan)
    assert_empty(shop.plan())


def test_a_writer_of_the_table_is_not_waited_for_for_ever(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch, "BEGIN", batch.BEGIN.replace("lock_timeout = '10s'", "lock_timeout = '1s'"))
    plan = shop.plan()
    writer = shop.engine.connect()
    writer.execute("insert into app.orders values (1, 1)")
    with pytest.raises(ApplyError, match="lock timeout"):
        shop.apply_plan(plan)
    writer.commit()
    shop.apply_plan(plan)


def test_planning_waits_for_nobody(shop: Shop) -> None:
    shop.apply()
    holder = shop.engine.connect()
    holder.execute("lock table app.sessions in row exclusive mode")
    holder.execute("lock table orchestra.registry in share row exclusive mode")
    assert said(shop.plan(SHOP.replace("5s", "6s")))


def test_locks_on_the_apps_tables_are_taken_last(shop: Shop) -> None:
    kinds = [c.address.kind for c in shop.plan().changes]
    assert kinds.index("table_trigger") == len(kinds) - 1
    assert list(dict.fromkeys(kinds)) == [
        "extension",
        "runtime",
        "project",
        "queue",
        "workload",
        "grant",
        "cron_job",
        "table_trigger",
    ]
