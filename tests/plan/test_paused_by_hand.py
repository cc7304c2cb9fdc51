"""What an operator turned during an incident is shown, kept through every apply, and undone on demand only."""

from __future__ import annotations

import pytest
from apply.shop import SHOP, Shop, assert_empty, change, said, spec_of

from orchestra import pipeline
from orchestra.pipeline import PlanOptions
from orchestra.report import plan_json, plan_text

JOB = "orchestra:shop:purge-sessions"
OTHER_TIME = SHOP.replace('"*/15 * * * *"', '"*/20 * * * *"')
PAUSE_JOB = f"select cron.alter_job(jobid, active := false) from cron.job where jobname = '{JOB}'"
IS_ACTIVE = f"select active from cron.job where jobname = '{JOB}'"


def test_a_job_made_inactive_by_hand_is_a_condition_and_no_change(shop: Shop) -> None:
    shop.apply()
    shop.run(PAUSE_JOB)
    plan = shop.plan()
    assert_empty(plan)
    (condition,) = plan.conditions
    assert (condition.code, str(condition.address)) == ("paused_by_hand", "cron_job.purge-sessions")


def test_a_job_made_inactive_stays_so_when_its_schedule_changes_and_resumes_on_demand(shop: Shop) -> None:
    shop.apply()
    shop.run(PAUSE_JOB)
    jobid = shop.one(f"select jobid from cron.job where jobname = '{JOB}'")
    assert said(shop.apply(OTHER_TIME)) == ["update cron_job.purge-sessions"]
    assert shop.run(f"select jobid, schedule, active from cron.job where jobname = '{JOB}'") == [
        (jobid, "*/20 * * * *", False)
    ]
    plan = shop.apply(OTHER_TIME, resume_paused=True)
    assert said(plan) == ["update cron_job.purge-sessions"]
    assert shop.one(IS_ACTIVE) is True
    plan = shop.plan(OTHER_TIME)
    assert_empty(plan)
    assert plan.conditions == ()


@pytest.mark.parametrize(
    ("verb", "look", "address"),
    [
        ("select orchestra.pause('shop')", "select gate = 'paused' from orchestra.project", "project.shop"),
        (
            "select orchestra.pause('shop', 'send-receipts')",
            "select paused from orchestra.workload where name = 'send-receipts'",
            "workload.send-receipts",
        ),
        (
            "update orchestra.workload set paused = true where name = 'send-receipts'",
            "select paused from orchestra.workload where name = 'send-receipts'",
            "workload.send-receipts",
        ),
    ],
)
def test_what_was_paused_stays_paused_through_later_applies(
    shop: Shop, verb: str, look: str, address: str
) -> None:
    shop.apply()
    shop.run(verb)
    plan = shop.plan()
    assert_empty(plan)
    assert [(c.code, str(c.address)) for c in plan.conditions] == [("paused_by_hand", address)]

    longer = SHOP.replace("poll_interval: 1m", "poll_interval: 2m").replace(
        "duration: {max: 5s}", "duration: {max: 7s}"
    )
    shop.apply(longer, allow_destroy=True, protect=True)
    assert shop.one(look) is True
    plan = shop.plan(longer, protect=True)
    assert_empty(plan)
    assert [(c.code, str(c.address)) for c in plan.conditions] == [("paused_by_hand", address)]

    assert said(shop.apply(longer, protect=True, resume_paused=True)) == [f"update {address}"]
    assert shop.one(look) is False
    assert_empty(shop.plan(longer, protect=True))


def test_what_was_resumed_by_hand_in_a_paused_environment_stays_open(shop: Shop) -> None:
    shop.apply(environment_paused=True)
    shop.run("select orchestra.resume('shop')")
    plan = shop.plan(environment_paused=True)
    assert_empty(plan)
    assert [c.code for c in plan.conditions] == ["resumed_by_hand"]


def test_every_plan_of_a_paused_environment_says_so(shop: Shop) -> None:
    first = shop.apply(environment_paused=True)
    again = shop.plan(environment_paused=True)
    assert_empty(again)
    for plan in (first, again):
        (condition,) = plan.conditions
        assert (condition.code, str(condition.address)) == ("environment_paused", "project.shop")
        assert "nothing fires" in condition.message
    opened = shop.plan()
    assert said(opened) == ["update project.shop"]
    assert opened.conditions == ()


def test_a_pause_is_still_an_operators_after_the_compiled_sql_ran_again(shop: Shop) -> None:
    shop.apply()
    shop.engine.psql(shop.compiled())
    shop.run("select orchestra.pause('shop')")
    plan = shop.plan()
    assert_empty(plan)
    assert [c.code for c in plan.conditions] == ["paused_by_hand"]


def test_a_pause_that_the_spec_says_is_a_change(shop: Shop) -> None:
    shop.apply()
    paused = SHOP.replace("poll_interval: 1m", "poll_interval: 1m\n    paused: true")
    plan = shop.apply(paused)
    assert said(plan) == ["update workload.send-receipts"]
    assert [f.path for f in change(plan, "workload.send-receipts").fields] == ["paused"]
    assert_empty(shop.plan(paused))
    shop.apply(SHOP)
    assert shop.one("select paused from orchestra.workload where name = 'send-receipts'") is False


@pytest.mark.parametrize("workload", [None, "send-receipts"])
def test_compiled_sql_that_runs_again_undoes_no_pause(shop: Shop, workload: str | None) -> None:
    shop.apply()
    shop.run("select orchestra.pause('shop', %s)", workload)
    shop.engine.psql(shop.compiled())
    plan = shop.plan()
    assert_empty(plan)
    assert [c.code for c in plan.conditions] == ["paused_by_hand"]


def test_compiled_sql_that_says_otherwise_than_before_pauses_and_resumes(shop: Shop) -> None:
    look = "select paused from orchestra.workload where name = 'send-receipts'"
    paused = SHOP.replace("poll_interval: 1m", "poll_interval: 1m\n    paused: true")
    shop.apply()
    for text, expected in ((paused, True), (SHOP, False), (paused, True)):
        shop.engine.psql(shop.compiled(text))
        assert shop.one(look) is expected
    assert_empty(shop.plan(paused))


def test_an_adopted_workload_is_paused_as_the_spec_says(shop: Shop) -> None:
    shop.apply()
    shop.run("select orchestra.pause('shop', 'send-receipts')")
    shop.run("delete from orchestra.registry where address = 'workload.send-receipts'")
    shop.apply(adopt=frozenset({"workload.send-receipts"}))
    assert_empty(shop.plan())
    assert shop.one("select paused from orchestra.workload where name = 'send-receipts'") is False


def by(shop: Shop, verb: str, workload: str | None, actor: str, reason: str) -> None:
    """A verb as the command line calls it, in its operator's name."""
    with shop.db.transaction("begin"):
        shop.db.rows(
            "select set_config('orchestra.actor', %(actor)s, true), set_config('orchestra.reason', %(reason)s, true)",
            {"actor": actor, "reason": reason},
        )
        shop.db.rows(
            f"select orchestra.{verb}('shop', %(workload)s)",
            {"workload": workload},
        )
        shop.db.script("commit")


def test_a_pause_is_told_with_who_did_it_when_and_why(shop: Shop) -> None:
    shop.apply()
    by(shop, "pause", "send-receipts", "bob", "an older pause")
    by(shop, "resume", "send-receipts", "bob", "and its end")
    by(
        shop,
        "pause",
        "send-receipts",
        "ada",
        "the supplier\nsends \x1b[31m nonsense, postgres://u:hunter2@h/db",
    )
    by(shop, "pause", None, "eve", "")
    for plan in (shop.plan(), pipeline.drift_plan(shop.db, spec_of(SHOP), PlanOptions())):
        said = {str(c.address): c.message for c in plan.conditions}
        assert said["workload.send-receipts"].startswith(
            "workload send-receipts was paused by hand by ada (role postgres) at 20"
        )
        assert "UTC (the supplier sends " in said["workload.send-receipts"]
        assert said["workload.send-receipts"].endswith("; it stays so")
        assert said["project.shop"].startswith("project shop was paused by hand by eve (role postgres) at 20")
        assert said["project.shop"].endswith(" UTC; it stays so")
        text = plan_text.render(plan)
        assert "\x1b" not in text
        assert "hunter2" not in text
    again = shop.plan()
    assert plan_json.digest(again) == plan_json.digest(shop.plan())


def test_what_was_turned_past_the_log_is_nobodys(shop: Shop) -> None:
    shop.apply()
    by(shop, "pause", "send-receipts", "ada", "x")
    by(shop, "resume", "send-receipts", "ada", "y")
    shop.run("update orchestra.workload set paused = true where name = 'send-receipts'")
    (condition,) = shop.plan().conditions
    assert condition.message == "workload send-receipts was paused by hand; it stays so"


def test_what_was_resumed_by_hand_is_told_alike(shop: Shop) -> None:
    shop.apply(environment_paused=True)
    by(shop, "resume", None, "ada", "we go on")
    (condition,) = shop.plan(environment_paused=True).conditions
    assert condition.message.startswith("project shop was resumed by hand by ada (role postgres) at 20")
    assert condition.message.endswith(" UTC (we go on); it stays so")
