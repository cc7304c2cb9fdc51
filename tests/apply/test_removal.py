"""Nothing is removed without a word, and nothing with messages in it without their number."""

from __future__ import annotations

import pytest

from apply.shop import NOTHING, QUEUE, SHOP, Shop, assert_empty, change, codes, said
from orchestra.errors import BlockedError, StalePlanError, UsageError

UNLOGGED = QUEUE.replace("trigger: manual", "trigger: manual\n    queue: {kind: unlogged}")


def _send(shop: Shop, number: int = 1) -> None:
    shop.run("select pgmq.send('import', '{}') from generate_series(1, %s)", number)


def test_a_removal_needs_the_flag_or_each_exact_word(shop: Shop) -> None:
    shop.apply(QUEUE)
    plan = shop.plan(NOTHING)
    assert codes(plan) == {"delete"}
    with pytest.raises(BlockedError):
        shop.apply_plan(plan)
    words = {
        b.remedy.removeprefix("approve it with --allow ").removesuffix(" (or --allow-destroy)")
        for b in plan.blockers
    }
    assert words == {"delete:queue.import", "delete:workload.import"}
    assert codes(shop.plan(NOTHING, allow=frozenset(sorted(words)[1:]))) == {"delete"}
    shop.apply(NOTHING, allow=frozenset(words))
    assert_empty(shop.plan(NOTHING))


@pytest.mark.parametrize("spec", [NOTHING, UNLOGGED])
def test_a_queue_with_messages_needs_their_exact_number(shop: Shop, spec: str) -> None:
    shop.apply(QUEUE)
    _send(shop, 3)
    shop.run("select pgmq.archive('import', 1)")
    plan = shop.plan(spec, allow_destroy=True)
    (blocker,) = plan.blockers
    assert blocker.remedy == "approve it with --allow messages:queue.import=3"
    assert "2 waiting and 1 archived" in blocker.message
    for wrong in ("messages:queue.import=2", "messages:queue.import=30", "messages:queue.import"):
        refused = shop.plan(spec, allow_destroy=True, allow=frozenset({wrong}))
        assert codes(refused) == {"messages"}
        assert [c.message for c in refused.conditions] == [f"--allow {wrong}: this plan has no such hazard"]
    with pytest.raises(UsageError, match="--allow does not name an address"):
        shop.plan(spec, allow_destroy=True, allow=frozenset({"messages"}))
    shop.apply(spec, allow_destroy=True, allow=frozenset({"messages:queue.import=3"}))
    assert_empty(shop.plan(spec))


@pytest.mark.parametrize("at_first", [0, 2])
@pytest.mark.parametrize("spec", [NOTHING, UNLOGGED])
def test_messages_that_arrive_after_the_plan_refuse_it(shop: Shop, spec: str, at_first: int) -> None:
    shop.apply(QUEUE)
    _send(shop, at_first)
    allow = frozenset({f"messages:queue.import={at_first}"})
    plan = shop.plan(spec, allow_destroy=True, allow=allow)
    _send(shop)
    before = shop.state()
    with pytest.raises(StalePlanError, match=f"holds more than the {at_first} messages"):
        shop.apply_plan(plan)
    assert shop.state() == before
    assert shop.one("select count(*) from pgmq.q_import") == at_first + 1


def test_fewer_messages_than_were_approved_are_lost_gladly(shop: Shop) -> None:
    shop.apply(QUEUE)
    _send(shop, 3)
    plan = shop.plan(NOTHING, allow_destroy=True, allow=frozenset({"messages:queue.import=3"}))
    shop.run("select pgmq.delete('import', 1)")
    shop.apply_plan(plan)


def test_a_workload_is_destroyed_alone(shop: Shop) -> None:
    shop.apply()
    plan = shop.destroy(workload="send-receipts")
    assert {str(c.address) for c in plan.changes} == {
        "queue.send-receipts",
        "workload.send-receipts",
        "grant.send-receipts",
        "cron_job.send-receipts.worker-1",
        "table_trigger.send-receipts",
    }
    assert_empty(shop.destroy_plan(workload="send-receipts"))
    assert {s.split()[0] for s in said(shop.plan())} == {"create"}
    shop.apply()
    assert_empty(shop.plan())


def test_a_project_is_destroyed_whole_and_only_once(shop: Shop) -> None:
    shop.apply(QUEUE, project="other")
    others = [x for x in shop.state() if x.startswith(("queue", "job", "workload"))]
    shop.apply()
    shop.destroy()
    assert_empty(shop.destroy_plan())
    assert_empty(shop.plan(QUEUE, project="other"))
    assert [x for x in shop.state() if x.startswith(("queue", "job", "workload"))] == others
    assert shop.one("select count(*) from pg_trigger where tgname like 'orchestra%%'") == 0
    assert shop.one("select to_regprocedure('public.enqueue_send_receipts(jsonb)') is null") is True
    shop.apply()
    assert_empty(shop.plan())


def test_a_project_that_was_never_there_is_destroyed_without_a_word(shop: Shop) -> None:
    assert_empty(shop.destroy_plan("nobody"))
    shop.apply(QUEUE)
    assert_empty(shop.destroy_plan("nobody"))


def test_notes_on_messages_of_a_dropped_queue_are_not_held_against_the_next(shop: Shop) -> None:
    shop.apply(QUEUE)
    note = "insert into orchestra.delivery (project, workload, msg_id, free) values ('shop', 'import', 1, 5)"
    for drop in ("select pgmq.drop_queue('import')", ""):
        shop.run(note)
        if drop:
            shop.run(drop)
        else:
            shop.destroy(workload="import")
        shop.apply(QUEUE)
        assert shop.one("select count(*) from orchestra.delivery") == 0


def test_fewer_attempts_than_messages_have_had_need_their_number(shop: Shop) -> None:
    shop.apply(QUEUE)
    _send(shop, 2)
    shop.run("update pgmq.q_import set read_ct = 4 where msg_id = 1")
    fewer = QUEUE.replace("trigger: manual", "trigger: manual\n    retry: {max_attempts: 3}")
    plan = shop.plan(fewer)
    assert codes(plan) == {"fewer_attempts"}
    assert plan.blockers[0].remedy == "approve it with --allow fewer_attempts:workload.import=1"
    shop.apply(fewer, allow=frozenset({"fewer_attempts:workload.import=1"}))


def test_what_waits_is_shown_beside_the_change(shop: Shop) -> None:
    shop.apply(QUEUE)
    _send(shop, 2)
    shop.run("select msg_id from pgmq.read('import', 60, 1)")
    plan = shop.plan(QUEUE.replace("select 1", "select 2"))
    found = change(plan, "workload.import")
    assert found.facts[0].data["waiting"] == 2  # type: ignore[index, call-overload]
    assert [h.code for h in found.hazards] == ["contract"]
    assert plan.blockers == ()


def test_a_grown_shop_shrinks_again(shop: Shop) -> None:
    wide = SHOP.replace("poll_interval: 1m", "poll_interval: 1m\n    concurrency: {limit: 3}")
    shop.apply(wide)
    plan = shop.apply(SHOP, allow_destroy=True)
    assert said(plan) == [
        "delete cron_job.send-receipts.worker-3",
        "delete cron_job.send-receipts.worker-2",
        "update workload.send-receipts",
    ]
    assert_empty(shop.plan())
