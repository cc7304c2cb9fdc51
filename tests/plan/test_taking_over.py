"""A cron job that was made by hand under another name is adopted: the workload's own takes its place."""

from __future__ import annotations

import pytest
from apply.shop import Shop, assert_empty, codes, said

from orchestra.errors import UsageError
from orchestra.report import plan_json

PURGE = """\
workloads:
  purge:
    trigger: {schedule: {cron: "*/15 * * * *"}}
    duration: {max: 5s}
    run: {sql: "delete from app.sessions"}
"""
CRON = "create extension pg_cron"
MADE = "select cron.schedule('Nightly Purge', '*/15 * * * *', 'delete from app.sessions')"
ADOPT = frozenset({"cron_job.purge=Nightly Purge"})


@pytest.mark.parametrize("active", [True, False])
def test_the_former_job_goes_in_the_same_transaction(shop: Shop, active: bool) -> None:
    shop.run(CRON)
    shop.run(MADE)
    shop.run("select cron.alter_job(jobid, active := %s) from cron.job", active)
    plan = shop.plan(PURGE, adopt=ADOPT)
    assert "adopt cron_job.purge" in said(plan)
    assert plan.blockers == ()
    shop.apply_plan(plan_json.load(plan_json.dump(plan)))
    jobs = shop.run("select jobname, active from cron.job where jobname not like '%%1m'")
    assert jobs == [("orchestra:shop:purge", active)]
    assert_empty(shop.plan(PURGE))


def test_a_job_that_is_not_there_cannot_be_adopted(shop: Shop) -> None:
    assert codes(shop.plan(PURGE, adopt=ADOPT)) == {"nothing_to_adopt"}


def test_another_roles_job_is_not_taken(shop: Shop) -> None:
    shop.run(CRON)
    shop.run(MADE)
    shop.run("update cron.job set username = 'clerk'")
    assert codes(shop.plan(PURGE, adopt=ADOPT)) == {"cron_owner"}


def test_a_job_of_orchestras_own_is_not_taken(shop: Shop) -> None:
    shop.apply(PURGE.replace("purge", "sweep"), project="other")
    plan = shop.plan(PURGE, adopt=frozenset({"cron_job.purge=orchestra:other:sweep"}))
    assert codes(plan) == {"other_project"}


def test_a_queue_is_not_adopted_under_another_name(shop: Shop) -> None:
    with pytest.raises(UsageError, match="only a cron job"):
        shop.plan(PURGE, adopt=frozenset({"queue.purge=old"}))
