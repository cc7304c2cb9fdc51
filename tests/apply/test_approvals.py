"""An approval that was committed counts for one change, up to its bound and its last day, and for nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from apply.shop import NOTHING, QUEUE, Shop, assert_empty, codes
from orchestra.errors import BlockedError
from orchestra.ir.program import Address
from orchestra.plan.approvals import Approval, Approved
from orchestra.plan.model import Plan
from orchestra.report import plan_json

WORKLOAD, IMPORT = Address("workload", "import"), Address("queue", "import")
DELETES = (Approved("delete", WORKLOAD), Approved("delete", IMPORT))
COMMAND = 'orchestra approve --env production --reason "…"'


def of(plan: Plan, *approves: Approved, **more: Any) -> Approval:
    made = Approval(
        "approvals/x.yaml", "shop", plan.transition, approves or DELETES, "The feed is closed", "Ann"
    )
    return replace(made, **more)


def send(shop: Shop, number: int) -> None:
    shop.run("select pgmq.send('import', '{}') from generate_series(1, %s)", number)


def said(plan: Plan) -> list[str]:
    return [c.message for c in plan.conditions if c.code == "short_approval"]


def today(shop: Shop) -> date:
    found = shop.one("select (now() at time zone 'UTC')::date")
    assert isinstance(found, date)
    return found


def test_an_approval_of_this_change_stands_in_for_every_flag(shop: Shop) -> None:
    shop.apply(QUEUE)
    plan = shop.plan(NOTHING)
    assert codes(plan) == {"delete"}
    plan = shop.apply(NOTHING, approvals=(of(plan),))
    by = {h.approved_by for c in plan.changes for h in c.hazards if h.needs_approval}
    assert by == {"approvals/x.yaml: The feed is closed"}
    assert_empty(shop.plan(NOTHING))


@pytest.mark.parametrize(
    "other",
    [
        lambda a: replace(a, project="store"),
        lambda a: replace(a, transition="0" * 12 + a.transition[12:]),
        lambda a: replace(a, transition=a.transition[:13] + "0" * 12),
        lambda a: replace(a, approves=DELETES[:1]),
        lambda a: replace(a, approves=(Approved("messages", IMPORT, None), DELETES[0])),
        lambda a: replace(a, approves=(Approved("delete", Address("queue", "other")), DELETES[0])),
    ],
)
def test_an_approval_of_anything_else_does_not_count(
    shop: Shop, other: Callable[[Approval], Approval]
) -> None:
    shop.apply(QUEUE)
    right = of(shop.plan(NOTHING))
    plan = shop.plan(NOTHING, approvals=(other(right),))
    assert codes(plan) == {"delete"}
    with pytest.raises(BlockedError):
        shop.apply_plan(plan, approvals=(right,))
    assert_empty(shop.plan(QUEUE))


def test_the_bound_is_the_most_that_may_be_lost(shop: Shop) -> None:
    shop.apply(QUEUE)
    approval = of(shop.plan(NOTHING), *DELETES, Approved("messages", IMPORT, 3))
    send(shop, 4)
    plan = shop.plan(NOTHING, approvals=(approval,))
    assert codes(plan) == {"messages"}
    assert said(plan) == ["approvals/x.yaml approves at most 3 messages of queue.import, and there are more"]
    shop.run("select pgmq.delete('import', 1)")
    shop.apply(NOTHING, approvals=(approval,))
    assert_empty(shop.plan(NOTHING))


def test_messages_that_come_after_the_plan_are_not_lost_below_the_bound_either(shop: Shop) -> None:
    """A plan drops what it saw: its bound is the smaller one."""
    shop.apply(QUEUE)
    approval = of(shop.plan(NOTHING), *DELETES, Approved("messages", IMPORT, 100))
    plan = shop.plan(NOTHING, approvals=(approval,))
    send(shop, 1)
    with pytest.raises(Exception, match="holds more than the 0 messages"):
        shop.apply_plan(plan)
    shop.apply(NOTHING, approvals=(approval,))


def test_more_than_are_counted_are_covered_by_no_bound(shop: Shop) -> None:
    shop.apply(QUEUE)
    bounded = of(shop.plan(NOTHING), *DELETES, Approved("messages", IMPORT, 10**9))
    send(shop, 100_001)
    plan = shop.plan(NOTHING, approvals=(bounded,))
    assert codes(plan) == {"messages"}
    everything = replace(bounded, approves=(*DELETES, Approved("messages", IMPORT, None)))
    assert codes(shop.plan(NOTHING, approvals=(everything,))) == set()


def test_it_counts_on_its_last_day_and_not_after(shop: Shop) -> None:
    shop.apply(QUEUE)
    plan = shop.plan(NOTHING)
    last = today(shop)
    over = of(plan, expires=last - timedelta(days=1))
    refused = shop.plan(NOTHING, approvals=(over,))
    assert codes(refused) == {"delete"}
    assert set(said(refused)) == {f"approvals/x.yaml expired on {over.expires}"}
    good = shop.plan(NOTHING, approvals=(over, of(plan, expires=last)))
    assert good.approved_until == last.isoformat()
    forever = shop.plan(NOTHING, approvals=(of(plan, expires=last), of(plan, file="approvals/y.yaml")))
    assert forever.approved_until == "", "one that never ends is preferred"
    shop.apply(NOTHING, approvals=(of(plan, expires=last),))


def test_a_saved_plan_keeps_what_approved_it_until_that_ends(shop: Shop) -> None:
    shop.apply(QUEUE)
    last = today(shop)
    plan = shop.plan(NOTHING, approvals=(of(shop.plan(NOTHING), expires=last),))
    assert plan_json.load(plan_json.dump(plan)) == plan
    ended = replace(plan, approved_until=(last - timedelta(days=1)).isoformat())
    with pytest.raises(BlockedError, match="counted until"):
        shop.apply_plan(plan_json.load(plan_json.dump(ended)))
    assert_empty(shop.plan(QUEUE))
    shop.apply_plan(plan_json.load(plan_json.dump(plan)))
    assert_empty(shop.plan(NOTHING))


def test_where_one_is_required_no_flag_will_do(shop: Shop) -> None:
    shop.apply(QUEUE)
    send(shop, 2)
    flags = {"allow_destroy": True, "allow": frozenset({"messages:queue.import=2", "delete:queue.import"})}
    required = {"approvals_required": True, "approve_command": COMMAND}
    plan = shop.plan(NOTHING, **flags, **required)
    assert codes(plan) == {"delete", "messages"}
    assert {b.remedy for b in plan.blockers} == {
        f"this environment wants an approval that is committed: {COMMAND}"
    }
    assert "unused_flag" not in {c.code for c in plan.conditions}
    with pytest.raises(BlockedError, match=r"is removed|loses 2 waiting"):
        shop.apply_plan(plan, **flags, **required)
    approval = of(plan, *DELETES, Approved("messages", IMPORT, 2))
    shop.apply(NOTHING, approvals=(approval,), **required)
    assert_empty(shop.plan(NOTHING))


def test_what_loses_nothing_needs_none_where_one_is_required(shop: Shop) -> None:
    shop.apply(QUEUE, approvals_required=True)
    shop.apply(QUEUE.replace("select 1", "select 2"), approvals_required=True)


def test_fewer_attempts_have_a_bound_as_well(shop: Shop) -> None:
    shop.apply(QUEUE)
    send(shop, 2)
    shop.run("update pgmq.q_import set read_ct = 4")
    fewer = QUEUE.replace("trigger: manual", "trigger: manual\n    retry: {max_attempts: 3}")
    plan = shop.plan(fewer)
    for bound, blocked in ((1, {"fewer_attempts"}), (2, set())):
        approval = of(plan, Approved("fewer_attempts", WORKLOAD, bound))
        assert codes(shop.plan(fewer, approvals=(approval,))) == blocked


@pytest.mark.parametrize("waiting", [0, 2])
def test_a_removal_that_drains_is_approved_once_for_both_of_its_halves(shop: Shop, waiting: int) -> None:
    draining = QUEUE.replace("trigger: manual", "trigger: manual\n    on_delete: drain")
    shop.apply(draining)
    approval = of(shop.plan(NOTHING), DELETES[0])
    send(shop, waiting)
    shop.apply(NOTHING, approvals=(approval,), approvals_required=True)
    shop.run("delete from pgmq.q_import") if waiting else None
    shop.apply(NOTHING, approvals_required=True)
    assert_empty(shop.plan(NOTHING))
    assert shop.one("select count(*) from pgmq.meta where queue_name = 'import'") == 0


def test_a_whole_project_is_destroyed_with_an_approval(shop: Shop) -> None:
    shop.apply(QUEUE)
    plan = shop.destroy_plan(approvals_required=True)
    assert codes(plan) == {"delete"}
    approves = [Approved(h.code, c.address) for c in plan.changes for h in c.hazards if h.needs_approval]
    approved = shop.destroy_plan(approvals_required=True, approvals=(of(plan, *approves),))
    assert approved.blockers == ()
    shop.apply_plan(approved)


def test_a_saved_plan_that_stands_on_a_flag_does_not_get_around_what_the_environment_wants(
    shop: Shop,
) -> None:
    shop.apply(QUEUE)
    saved = plan_json.load(plan_json.dump(shop.plan(NOTHING, allow_destroy=True)))
    with pytest.raises(BlockedError, match="that was approved by --allow") as caught:
        shop.apply_plan(saved, approvals_required=True)
    assert "wants an approval that is committed" in caught.value.remedy
    approved = shop.plan(NOTHING, approvals=(of(saved),))
    shop.apply_plan(plan_json.load(plan_json.dump(approved)), approvals_required=True)
    assert_empty(shop.plan(NOTHING))
