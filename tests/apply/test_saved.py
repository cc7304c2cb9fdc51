"""A plan from a file does exactly what the plan itself would have done, there and nowhere else."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from engines import Engine

from apply.shop import QUEUE, SHOP, TABLES, Shop, assert_empty
from orchestra import pipeline
from orchestra.errors import BlockedError, StalePlanError, UsageError
from orchestra.report import plan_json

MORE = SHOP.replace("{max: 5s}", "{max: 6s}").replace('"*/15 * * * *"', '"*/20 * * * *"')


def _saved(plan: pipeline.Plan) -> pipeline.Plan:
    return plan_json.load(plan_json.dump(plan))


def test_a_saved_plan_does_what_the_plan_itself_does(shop: Shop) -> None:
    states = []
    for through_a_file in (False, True):
        seen = []
        for text in (SHOP, MORE):
            plan = shop.plan(text)
            shop.apply_plan(_saved(plan) if through_a_file else plan)
            assert_empty(shop.plan(text))
            seen.append(shop.steady_state())
        plan = shop.destroy_plan(allow_destroy=True)
        shop.apply_plan(_saved(plan) if through_a_file else plan)
        states.append([*seen, shop.steady_state()])
        shop.close()
        shop.engine.reset()
        shop.engine.psql(TABLES)
    assert states[0] == states[1]


def test_what_was_kept_or_adopted_is_in_the_saved_plan(shop: Shop) -> None:
    shop.apply()
    shop.run("select orchestra.pause('shop', 'send-receipts')")
    shop.run("delete from orchestra.registry where address = 'queue.send-receipts'")
    plan = shop.plan(MORE, adopt=frozenset({"queue.send-receipts"}))
    shop.apply_plan(_saved(plan))
    assert_empty(shop.plan(MORE))
    assert shop.one("select paused from orchestra.workload where name = 'send-receipts'") is True
    shop.apply_plan(_saved(shop.plan(MORE, resume_paused=True)))
    assert shop.one("select paused from orchestra.workload where name = 'send-receipts'") is False


def test_a_saved_plan_is_refused_when_an_object_of_it_changed(shop: Shop) -> None:
    shop.apply()
    plan = _saved(shop.plan(MORE))
    shop.run("select cron.unschedule('orchestra:shop:purge-sessions')")
    with pytest.raises(StalePlanError, match=r"^cron_job\.purge-sessions has changed"):
        shop.apply_plan(plan)


def test_a_saved_plan_that_is_blocked_stays_blocked(shop: Shop) -> None:
    shop.apply()
    with pytest.raises(BlockedError):
        shop.apply_plan(_saved(shop.destroy_plan()), allow_destroy=True)


def test_a_plan_is_refused_in_another_database(shop: Shop) -> None:
    plan = _saved(shop.plan(QUEUE))
    with shop.engine.new_database("beside") as dsn:
        database = shop.another(dsn)
        with pytest.raises(StalePlanError, match=r"was made for database postgres .* and this is beside"):
            pipeline.apply(database, plan)
        assert database.rows("select from pg_namespace where nspname = 'orchestra'") == []
        shop.close()


def test_a_plan_is_refused_in_a_database_of_the_same_name_on_another_server(shop: Shop) -> None:
    plan = _saved(shop.plan(QUEUE))
    assert plan.target.identity
    other = replace(plan, target=replace(plan.target, identity="7540293847561029384/5", where="--db"))
    with pytest.raises(StalePlanError, match=r"\(--db\), and this is another database as role postgres"):
        shop.apply_plan(other)
    # A server of several names is one all the same.
    shop.apply_plan(replace(plan, target=replace(plan.target, host="db.example.com")))


def test_a_plan_is_refused_for_another_role(shop: Shop) -> None:
    shop.run("create role b superuser login")
    plan = _saved(shop.plan(QUEUE))
    with pytest.raises(StalePlanError, match=r"as role postgres, and this is .* as role b"):
        pipeline.apply(shop.another(shop.engine.url(user="b")), plan)


def test_a_plan_of_another_environment_is_refused(shop: Shop) -> None:
    shop.apply(QUEUE, environment="staging")
    plan = _saved(shop.plan(QUEUE.replace("5s", "6s"), environment="staging"))
    shop.run("update orchestra.project set environment = 'production'")
    with pytest.raises(BlockedError, match="holds environment production of the project"):
        shop.apply_plan(plan)


def test_the_name_of_this_machine_does_not_matter(shop: Shop) -> None:
    plan = _saved(shop.plan(QUEUE))
    assert plan.target.host == "127.0.0.1"
    pipeline.apply(shop.another(shop.dsn.replace("127.0.0.1", "localhost")), plan)
    assert_empty(shop.plan(QUEUE))


@pytest.mark.parametrize(
    "edit",
    [
        lambda d: d["changes"][0].update(statements=["drop table app.orders"]),
        lambda d: d.update(unknown=1),
        lambda d: d["target"].update(database="production"),
        lambda d: d["batches"].append(1),
        lambda d: d["changes"].pop(),
        lambda d: d["desired"][0].update(values=None),
        lambda d: d.update(plan_hash="sha256:" + "0" * 64),
    ],
)
def test_an_edited_file_is_refused(shop: Shop, edit: object) -> None:
    document = json.loads(plan_json.dump(shop.plan(QUEUE)))
    edit(document)  # type: ignore[operator]
    with pytest.raises(UsageError, match="changed after it was made"):
        plan_json.load(json.dumps(document))


def test_a_plan_file_holds_no_password(embedded: Engine) -> None:
    embedded.execute("create role secretive superuser login password 'hunter2-is-s3cret'")
    shop = Shop(embedded, embedded.dsn.replace("postgres@", "secretive:hunter2-is-s3cret@"))
    text = plan_json.dump(shop.plan(QUEUE))
    assert "hunter2" not in text
    assert '"role": "secretive"' in text
    shop.close()
