"""What was paused by hand is reported until somebody accepts it or reverts it by name."""

from __future__ import annotations

import pytest
from apply.shop import SHOP, Shop, assert_empty, change, said

from orchestra.errors import UsageError

JOB = "orchestra:shop:purge-sessions"
PAUSE_JOB = f"select cron.alter_job(jobid, active := false) from cron.job where jobname = '{JOB}'"
RESUME_JOB = PAUSE_JOB.replace("false", "true")
CASES = {
    "cron_job.purge-sessions": (
        PAUSE_JOB,
        RESUME_JOB,
        f"select not active from cron.job where jobname = '{JOB}'",
    ),
    "workload.send-receipts": (
        "select orchestra.pause('shop', 'send-receipts')",
        "select orchestra.resume('shop', 'send-receipts')",
        "select paused from orchestra.workload where name = 'send-receipts'",
    ),
    "project.shop": (
        "select orchestra.pause('shop')",
        "select orchestra.resume('shop')",
        "select gate = 'paused' from orchestra.project",
    ),
}


@pytest.mark.parametrize("address", CASES)
def test_accepted_it_stays_and_is_no_longer_reported(shop: Shop, address: str) -> None:
    pause, resume, is_paused = CASES[address]
    shop.apply()
    shop.run(pause)
    plan = shop.apply(accept=frozenset({address}))
    assert said(plan) == [f"update {address}"]
    assert change(plan, address).category == "metadata"
    after = shop.plan()
    assert_empty(after)
    assert after.conditions == ()
    assert shop.one(is_paused)
    # Another change of it leaves the acceptance alone.
    shop.apply(SHOP.replace("max: 5s", "max: 7s"))
    assert shop.plan(SHOP.replace("max: 5s", "max: 7s")).conditions == ()
    assert shop.one(is_paused)

    shop.apply()
    shop.run(resume)
    if said(shop.plan()):  # turned behind the back of orchestra's own verbs: what was accepted is over
        shop.apply()
    shop.run(pause)
    again = shop.plan()
    assert_empty(again)
    assert [str(c.address) for c in again.conditions] == [address]


@pytest.mark.parametrize("address", CASES)
def test_reverted_by_name_it_is_as_the_spec_says(shop: Shop, address: str) -> None:
    shop.apply()
    for pause, _, _ in CASES.values():
        shop.run(pause)
    plan = shop.apply(revert=frozenset({address}))
    assert said(plan) == [f"update {address}"]
    for other, (_, _, is_paused) in CASES.items():
        assert shop.one(is_paused) is (other != address)
    left = shop.plan()
    assert_empty(left)
    assert {str(c.address) for c in left.conditions} == CASES.keys() - {address}


def test_an_accepted_pause_can_be_reverted_later(shop: Shop) -> None:
    shop.apply()
    shop.run(PAUSE_JOB)
    address = frozenset({"cron_job.purge-sessions"})
    shop.apply(accept=address)
    shop.apply(revert=address)
    assert shop.one(f"select active from cron.job where jobname = '{JOB}'")
    assert_empty(shop.plan())


def test_words_that_meet_nothing_are_named(shop: Shop) -> None:
    shop.apply()
    plan = shop.plan(accept=frozenset({"cron_job.nightly"}), revert=frozenset({"workload.nightly"}))
    assert [c.code for c in plan.conditions] == ["unused_flag", "unused_flag"]


@pytest.mark.parametrize("way", ["removed and added", "destroyed", "said and unsaid", "unscheduled"])
def test_an_acceptance_ends_with_what_was_accepted(shop: Shop, way: str) -> None:
    shop.apply()
    shop.run("select orchestra.pause('shop', 'send-receipts')")
    shop.run(PAUSE_JOB)
    both = frozenset({"workload.send-receipts", "cron_job.purge-sessions"})
    shop.apply(accept=both)
    match way:
        case "removed and added":
            shop.apply("workloads: {}\n", allow_destroy=True)
        case "destroyed":
            shop.destroy()
        case "said and unsaid":
            shop.apply(SHOP.replace("    poll_interval: 1m\n", "    poll_interval: 1m\n    paused: true\n"))
        case "unscheduled":
            shop.run(f"select cron.unschedule('{JOB}')")
    shop.apply()
    assert_empty(shop.plan())


def test_one_job_does_not_take_two_places(shop: Shop) -> None:
    for words in ({"cron_job.a=x", "cron_job.b=x"}, {"cron_job.a=x", "cron_job.a=y"}):
        with pytest.raises(UsageError, match="twice"):
            shop.plan(adopt=frozenset(words))
