"""`plan --refresh-only`: what was changed since the last apply, whatever the spec says by now."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from apply.shop import QUEUE, SHOP, Shop, spec_of
from jsonschema import Draft202012Validator

from orchestra import pipeline
from orchestra.cli import schemas
from orchestra.errors import UsageError
from orchestra.pipeline import PlanOptions
from orchestra.plan.model import Plan
from orchestra.report import plan_json, plan_text

JOB = "orchestra:shop:purge-sessions"


def drift(shop: Shop, text: str = SHOP, project: str = "shop") -> Plan:
    return pipeline.drift_plan(shop.db, spec_of(text, project), PlanOptions())


def told(plan: Plan) -> list[tuple[str, str]]:
    return [(c.action.value, str(c.address)) for c in plan.changes]


def test_a_database_as_it_was_left_has_none(shop: Shop) -> None:
    assert drift(shop).is_empty
    shop.apply()
    plan = drift(shop)
    assert plan.is_empty
    assert plan.conditions == ()
    assert "No drift. The database is as the last apply left it." in plan_text.render(plan)


def test_a_spec_that_has_moved_on_is_no_drift(shop: Shop) -> None:
    shop.apply()
    assert drift(shop, QUEUE).is_empty
    assert drift(shop, SHOP.replace("*/15", "*/20")).is_empty


def test_it_goes_from_what_was_applied_to_what_is_there(shop: Shop) -> None:
    shop.apply()
    shop.run(f"select cron.alter_job(jobid, schedule := '*/7 * * * *') from cron.job where jobname = '{JOB}'")
    shop.run("select cron.unschedule('orchestra:shop:nightly')")
    shop.run("drop function orchestra.resume(text, text)")
    before = shop.state()
    plan = drift(shop)
    assert told(plan) == [
        ("update", "runtime.orchestra"),
        ("delete", "cron_job.nightly"),
        ("update", "cron_job.purge-sessions"),
    ]
    (field,) = plan.changes[2].fields
    assert (field.path, field.before, field.after) == ("schedule", "*/15 * * * *", "*/7 * * * *")
    assert all(c.drift and not c.statements for c in plan.changes)
    assert shop.state() == before
    text = plan_text.render(plan)
    assert "Drift: 3 objects changed outside orchestra." in text


def test_operators_turns_are_apart_and_gone_when_accepted(shop: Shop) -> None:
    shop.apply()
    shop.run("select orchestra.pause('shop', 'send-receipts')")
    shop.run(f"select cron.alter_job(jobid, active := false) from cron.job where jobname = '{JOB}'")
    plan = drift(shop)
    assert plan.is_empty
    assert {str(c.address) for c in plan.conditions} == {"workload.send-receipts", "cron_job.purge-sessions"}
    assert "Drift: 2 objects paused or resumed by hand." in plan_text.render(plan)
    shop.apply(accept=frozenset({"workload.send-receipts"}), revert=frozenset({"cron_job.purge-sessions"}))
    assert drift(shop).conditions == ()


def test_a_project_that_is_still_called_otherwise(shop: Shop) -> None:
    shop.apply()
    shop.run("select cron.unschedule('orchestra:shop:nightly')")
    assert told(drift(shop, "moved: {from: shop}\n" + SHOP, "store")) == [("delete", "cron_job.nightly")]


def test_it_can_be_saved_and_read_and_is_not_applied(shop: Shop) -> None:
    shop.apply()
    shop.run("select cron.unschedule('orchestra:shop:nightly')")
    plan = drift(shop)
    text = plan_json.dump(plan)
    Draft202012Validator(json.loads(schemas.text("plan"))).validate(json.loads(text))
    assert replace(plan_json.load(text), conditions=()) == replace(plan, conditions=())
    with pytest.raises(UsageError, match="only shows what was changed"):
        shop.apply_plan(plan_json.load(text))
