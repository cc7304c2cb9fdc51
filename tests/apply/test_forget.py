"""Objects are given up and stay; what makes no sense without orchestra cannot be."""

from __future__ import annotations

import pytest

from apply.shop import NOTHING, QUEUE, Shop, assert_empty, said, spec_of
from orchestra import pipeline
from orchestra.errors import UsageError
from orchestra.ir.program import Address
from orchestra.pipeline import PlanOptions
from orchestra.plan.model import Plan


def forget(shop: Shop, *addresses: str, spec: str | None = None) -> Plan:
    given_up = [Address.parse(a) for a in addresses]
    declared = spec_of(spec) if spec is not None else None
    return pipeline.forget_plan(shop.db, "shop", given_up, declared, PlanOptions())


def test_a_queue_given_up_stays_with_its_messages_when_its_workload_goes(shop: Shop) -> None:
    shop.apply(QUEUE)
    shop.run("select pgmq.send('import', '{}')")
    plan = forget(shop, "queue.import", spec=QUEUE)
    assert said(plan) == ["forget queue.import"]
    assert [c.code for c in plan.conditions] == ["declared"]
    shop.apply_plan(plan)
    assert "delete queue.import" not in said(shop.apply(NOTHING, allow_destroy=True))
    assert shop.one("select count(*) from pgmq.q_import") == 1
    assert_empty(shop.plan(NOTHING))


def test_what_the_spec_declares_is_taken_back(shop: Shop) -> None:
    shop.apply(QUEUE)
    shop.apply_plan(forget(shop, "cron_job.import.worker-1"))
    assert shop.one("select count(*) from cron.job where jobname = 'orchestra:shop:import.worker-1'") == 1
    assert said(shop.apply(QUEUE)) == ["update cron_job.import.worker-1"]
    assert_empty(shop.plan(QUEUE))


@pytest.mark.parametrize(
    ("address", "fault"),
    [
        ("workload.import", "orchestra's own and cannot be given up"),
        ("runtime.orchestra", "orchestra's own and cannot be given up"),
        ("queue.imports", "the project does not own queue.imports"),
    ],
)
def test_what_cannot_be_given_up_is_refused(shop: Shop, address: str, fault: str) -> None:
    shop.apply(QUEUE)
    with pytest.raises(UsageError, match=fault):
        forget(shop, address)
