"""Protection lives in the database: no spec that lost a line removes what was protected."""

from __future__ import annotations

import pytest

from apply.shop import NOTHING, QUEUE, Shop, assert_empty, change, codes, said
from orchestra.errors import BlockedError

PROTECTED = QUEUE.replace("trigger: manual", "trigger: manual\n    protect: true")
LIFTED = QUEUE.replace("trigger: manual", "trigger: manual\n    protect: false")
UNLOGGED = QUEUE.replace("trigger: manual", "trigger: manual\n    queue: {kind: unlogged}")


@pytest.mark.parametrize("spec", [NOTHING, UNLOGGED])
def test_a_protected_workload_is_not_removed_by_a_spec_without_it(shop: Shop, spec: str) -> None:
    shop.apply(PROTECTED)
    plan = shop.plan(spec, allow_destroy=True)
    assert "protected" in codes(plan)
    with pytest.raises(BlockedError, match="workload import is protected in the database"):
        shop.apply_plan(plan)
    assert "protected" in codes(shop.destroy_plan(allow_destroy=True))
    assert "protected" in codes(shop.destroy_plan(allow_destroy=True, workload="import"))


def test_a_spec_that_is_silent_keeps_the_protection(shop: Shop) -> None:
    shop.apply(PROTECTED)
    assert_empty(shop.plan(QUEUE))
    shop.apply(QUEUE.replace("5s", "6s"))
    assert "protected" in codes(shop.plan(NOTHING, allow_destroy=True))
    shop.engine.psql(shop.compiled(QUEUE))
    assert "protected" in codes(shop.plan(NOTHING, allow_destroy=True))


def test_protection_is_lifted_by_a_word_and_then_the_workload_may_go(shop: Shop) -> None:
    shop.apply(PROTECTED)
    plan = shop.plan(LIFTED)
    assert said(plan) == ["update workload.import"]
    assert [h.code for h in change(plan, "workload.import").hazards] == ["unprotect"]
    assert change(plan, "workload.import").reasons == ("the spec changed protect",)
    shop.apply_plan(plan)
    assert_empty(shop.plan(LIFTED))
    shop.apply(NOTHING, allow_destroy=True)


def test_nothing_is_lifted_and_replaced_in_one_plan(shop: Shop) -> None:
    shop.apply(PROTECTED)
    both = LIFTED.replace("protect: false", "protect: false\n    queue: {kind: unlogged}")
    assert "protected" in codes(shop.plan(both, allow_destroy=True))


def test_a_protected_environment_protects_all_of_its_project(shop: Shop) -> None:
    shop.apply(QUEUE, protect=True)
    assert "protected" in codes(shop.plan(NOTHING, allow_destroy=True, protect=None))
    assert "protected" in codes(shop.plan(NOTHING, allow_destroy=True, protect=False))
    assert "protected" in codes(shop.destroy_plan(allow_destroy=True))
    assert_empty(shop.plan(QUEUE))
    assert said(shop.apply(QUEUE, protect=False)) == ["update project.shop"]
    shop.destroy()


def test_a_removed_workload_leaves_no_protection_behind(shop: Shop) -> None:
    shop.apply(PROTECTED)
    shop.apply(LIFTED)
    shop.destroy()
    shop.apply(QUEUE)
    shop.destroy()


def test_what_is_protected_may_still_change(shop: Shop) -> None:
    shop.apply(PROTECTED, protect=True)
    shop.apply(PROTECTED.replace("5s", "6s").replace("1m", "2m"), protect=True, allow_destroy=True)
