"""`on_delete`: what becomes of a queue whose workload is taken out of the spec."""

from __future__ import annotations

import psycopg
import pytest
from apply.shop import NOTHING, QUEUE, SHOP, Shop, assert_empty, change, codes, said

from orchestra.errors import StalePlanError

SAID = "trigger: manual\n    on_delete: {}"


def leaving(policy: str) -> str:
    return QUEUE.replace("trigger: manual", SAID.format(policy))


def _send(shop: Shop, number: int = 3) -> None:
    shop.run("select orchestra.send('import', '{}') from generate_series(1, %s)", number)


def _work_off(shop: Shop) -> None:
    with psycopg.connect(shop.engine.dsn, autocommit=True) as connection:
        connection.execute("call orchestra.drain_sql('shop', 'import', 1)")


def test_draining_takes_nothing_new_works_off_and_goes(shop: Shop) -> None:
    shop.apply(leaving("drain"))
    _send(shop)
    plan = shop.plan(NOTHING)
    assert said(plan) == ["update workload.import"]
    assert codes(plan) == {"delete"}
    assert [c.code for c in plan.conditions] == ["draining"]
    assert "3 messages wait" in plan.conditions[0].message
    shop.apply(NOTHING, allow=frozenset({"delete:workload.import"}))

    with pytest.raises(psycopg.errors.Error, match="is being removed and takes no more"):
        _send(shop)
    meanwhile = shop.plan(NOTHING)
    assert_empty(meanwhile)
    assert [c.code for c in meanwhile.conditions] == ["draining"]

    _work_off(shop)
    last = shop.plan(NOTHING)
    # Whoever approved the beginning approved the end.
    assert last.blockers == ()
    assert {"delete workload.import", "delete queue.import", "delete cron_job.import.worker-1"} <= set(
        said(last)
    )
    shop.apply_plan(last)
    assert_empty(shop.plan(NOTHING))
    assert shop.one("select count(*) from pgmq.meta") == 0
    assert shop.run("select jobname from cron.job") == []
    history = shop.run(
        "select changes -> 'changes' -> 0 -> 'after' ->> 'removal' from orchestra.deployment order by id"
    )
    assert history == [(None,), ("drain",), (None,)]


def test_what_brings_in_more_goes_first(shop: Shop) -> None:
    text = SHOP.replace("    poll_interval: 1m\n", "    poll_interval: 1m\n    on_delete: drain\n")
    rest = text.partition("  send-receipts:")[0]
    shop.apply(text)
    shop.run("insert into app.orders values (1, 1)")
    plan = shop.plan(rest, allow_destroy=True)
    assert set(said(plan)) == {
        "delete table_trigger.send-receipts",
        "delete grant.send-receipts",
        "update workload.send-receipts",
    }
    only = shop.plan(rest, allow=frozenset({"delete:workload.send-receipts"}))
    assert only.blockers == ()
    shop.apply_plan(only)
    shop.run("insert into app.orders values (2, 2)")
    assert shop.one("select count(*) from pgmq.q_send_receipts") == 1
    assert shop.one("select count(*) from cron.job where jobname like '%%tick.1m'") == 1


def test_an_empty_queue_goes_at_once(shop: Shop) -> None:
    shop.apply(leaving("drain"))
    plan = shop.plan(NOTHING, allow_destroy=True)
    assert "delete queue.import" in said(plan)
    _send(shop)
    with pytest.raises(StalePlanError, match="holds messages again"):
        shop.apply_plan(plan)


def test_what_is_put_back_into_the_spec_stays(shop: Shop) -> None:
    shop.apply(leaving("drain"))
    _send(shop)
    shop.apply(NOTHING, allow_destroy=True)
    plan = shop.plan(leaving("drain"))
    assert said(plan) == ["update workload.import"]
    assert "in the spec again" in change(plan, "workload.import").reasons[0]
    shop.apply_plan(plan)
    _send(shop)
    assert_empty(shop.plan(leaving("drain")))


def test_a_paused_one_says_that_it_never_drains(shop: Shop) -> None:
    shop.apply(leaving("drain"))
    _send(shop)
    shop.run("select orchestra.pause('shop', 'import')")
    plan = shop.apply(NOTHING, allow_destroy=True)
    assert {c.code for c in plan.conditions} == {"draining", "paused_by_hand"}
    (said_of_it,) = [c for c in plan.conditions if c.code == "draining"]
    assert "paused, so they wait for ever" in said_of_it.message


@pytest.mark.parametrize("how", ["spec", "flag"])
def test_archiving_keeps_every_message(shop: Shop, how: str) -> None:
    shop.apply(leaving("archive") if how == "spec" else QUEUE)
    _send(shop)
    shop.run("select pgmq.archive('import', 1)")
    options = {} if how == "spec" else {"on_delete": "archive"}
    shop.apply(NOTHING, allow_destroy=True, **options)
    assert shop.run(
        "select workload, msg_id, archived_at is null from orchestra.archive order by msg_id"
    ) == [
        ("import", 1, False),
        ("import", 2, True),
        ("import", 3, True),
    ]
    assert shop.one("select count(*) from pgmq.meta") == 0
    assert_empty(shop.plan(NOTHING))


def test_retaining_leaves_the_queue_to_whoever_wants_it(shop: Shop) -> None:
    shop.apply(leaving("retain"))
    _send(shop)
    plan = shop.apply(NOTHING, allow_destroy=True)
    assert "forget queue.import" in said(plan)
    assert shop.one("select count(*) from pgmq.q_import") == 3
    assert_empty(shop.plan(NOTHING))
    assert shop.run("select jobname from cron.job") == []
    # It is taken back without a word, for it was ours.
    shop.apply(leaving("retain"))
    assert shop.one("select count(*) from pgmq.q_import") == 3


def test_dropping_needs_the_count(shop: Shop) -> None:
    shop.apply(leaving("drop"))
    _send(shop)
    assert codes(shop.plan(NOTHING, allow_destroy=True, on_delete="archive")) == {"messages"}
    shop.apply(NOTHING, allow_destroy=True, allow=frozenset({"messages:queue.import=3"}))


def test_a_flag_that_meets_nothing_says_so(shop: Shop) -> None:
    shop.apply(QUEUE)
    plan = shop.plan(QUEUE, on_delete="drain")
    assert [c.code for c in plan.conditions] == ["unused_flag"]


def test_a_plan_of_some_workloads_begins_no_removal(shop: Shop) -> None:
    shop.apply(leaving("drain"))
    _send(shop)
    other = QUEUE.replace("  import:", "  export:")
    assert "update workload.import" in said(shop.plan(other))
    assert {
        c.address.name.partition(".")[0] for c in shop.plan(other, only=frozenset({"export"})).changes
    } == {"export"}


def test_dead_letters_that_nobody_works_off_do_not_hold_a_drain_up(shop: Shop) -> None:
    text = leaving("drain").replace(
        "    poll_interval: 1m", "    dead_letter_queue: import_failed\n    poll_interval: 1m"
    )
    shop.apply(text)
    shop.run("select pgmq.send('import_failed', '{}')")
    shop.apply(NOTHING, allow_destroy=True)
    assert shop.run("select queue_name from orchestra.archive") == [("import_failed",)]
    assert_empty(shop.plan(NOTHING))


def test_what_is_protected_does_not_begin_to_go(shop: Shop) -> None:
    text = leaving("drain").replace("trigger: manual", "trigger: manual\n    protect: true")
    shop.apply(text)
    _send(shop)
    assert "protected" in codes(shop.plan(NOTHING, allow_destroy=True))


def test_a_project_that_is_renamed_meanwhile_goes_on_draining(shop: Shop) -> None:
    shop.apply(leaving("drain"))
    _send(shop)
    shop.apply(NOTHING, allow_destroy=True)
    moved = "moved: {from: shop}\n" + NOTHING
    shop.apply(moved, project="store")
    assert {row[0].split(":")[1] for row in shop.run("select jobname from cron.job")} == {"store"}
    with psycopg.connect(shop.engine.dsn, autocommit=True) as connection:
        connection.execute("call orchestra.drain_sql('store', 'import', 1)")
    shop.apply(moved, project="store")
    assert shop.one("select count(*) from pgmq.meta") == 0
